// Tokens, stored as hashes only. No imports.

/** Environment variable with the caller's token, and the name of an agent's own token among its secrets. */
export const AGENT_TOKEN = 'MURMUR_TOKEN';

/** One token, by its hash. */
export interface TokenEntry {
  /** `owner` for the token that `murmur up` creates; for an agent's token, derived from its spawn. */
  readonly id?: string;
  /** Workflow id of the agent that owns the token; absent for a person's token. */
  readonly agent?: string;
  /** Set if the agent may change all agents of its account, like a person. */
  readonly rights?: 'owner';
  /** Name that a person gave it. */
  readonly label?: string;
  /** SHA-256 of the token's UTF-8 bytes, in lower-case hex. */
  readonly sha256: string;
  /** Account of the bearer. */
  readonly account: string;
  /** ISO 8601. */
  readonly created_at: string;
  /** ISO 8601; absent if it does not expire. */
  readonly expires_at?: string;
}

/** MURMUR_HOME/tokens.json, mode 0600. The server reloads it when it changes. */
export interface TokenFile {
  readonly tokens: readonly TokenEntry[];
}

/** Prefix of the id of an agent's own token. */
export const AGENT_TOKEN_ID = 'agent-';

/** Whether a token in the clear is an agent's. Clients adapt their commands to it; the API server decides on rights. */
export function isAgentToken(token: string): boolean {
  return token.startsWith(`mur_${AGENT_TOKEN_ID}`);
}
