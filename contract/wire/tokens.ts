// Tokens as the API server knows them: never in clear. No imports.

/** Environment variable with the caller's token; an agent finds its own in it. */
export const AGENT_TOKEN = 'MURMUR_TOKEN';

/** One token, known only by its hash. */
export interface TokenEntry {
  /** `owner` is the one that `murmur up` makes; an agent's is its spawn's. */
  readonly id?: string;
  /** Workflow id of the agent that the token was minted for; absent for a person's. */
  readonly agent?: string;
  /** Set when an agent may change all agents of its account, as a person may. */
  readonly rights?: 'owner';
  /** What a person calls it. */
  readonly label?: string;
  /** SHA-256 of the token's UTF-8 bytes, in lower-case hex. */
  readonly sha256: string;
  /** Account that the bearer acts as. */
  readonly account: string;
  /** ISO 8601. */
  readonly created_at: string;
  /** ISO 8601; absent when it does not expire. */
  readonly expires_at?: string;
}

/** MURMUR_HOME/tokens.json, mode 0600. The server reads it again when it changes. */
export interface TokenFile {
  readonly tokens: readonly TokenEntry[];
}

/** What the id of an agent's own token begins with. */
export const AGENT_TOKEN_ID = 'agent-';

/** Whether a token in clear looks like an agent's own. For what a client offers: rights are the API server's to decide. */
export function isAgentToken(token: string): boolean {
  return token.startsWith(`mur_${AGENT_TOKEN_ID}`);
}
