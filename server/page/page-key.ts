// Keys and tokens of agents' pages. A short-lived key is exchanged for a token that is valid for a working day. Both
// only allow reading the pages of one agent and its descendants, and name the token and the agent with which they end.
import { parseWorkflowId } from '../../contract/wire/identity.ts';
import type { AgentIdentity } from '../../contract/wire/identity.ts';
import { isWithin } from '../../contract/wire/rights.ts';
import type { Signer } from '../signer.ts';

/** Enough to follow a link from a terminal. Short, because the link stays in the terminal's scrollback. */
export const KEY_MS = 10 * 60_000;
/** A working day. */
export const PAGE_TOKEN_MS = 8 * 3_600_000;

/** The pages that may be read, and what ends the grant. */
export interface PageGrant {
  /** Workflow id. */
  readonly agent: string;
  readonly spawnId: string;
  /** Requested after the agent's end, for its record. Other grants end with the agent. */
  readonly forRecord: boolean;
  /** Name of the token that requested it. */
  readonly asker: string;
}

/** A grant read from a key or token, valid until a time in milliseconds since the epoch. */
export type GivenGrant = PageGrant & { readonly until: number };

/** `<grant in base64url>.<signature>`. */
export function pageKey(signer: Signer, grant: PageGrant, now = Date.now()): string {
  return sealed(signer, 'key', grant, now + KEY_MS);
}

/** The key's grant; undefined for an expired or invalid key, or for one of another agent. */
export function readPageKey(signer: Signer, key: string, agentId: string, now = Date.now()): GivenGrant | undefined {
  const grant = unsealed(signer, 'key', key, now);
  return grant?.agent === agentId ? grant : undefined;
}

/** Issued in exchange for a key. */
export function pageToken(signer: Signer, grant: PageGrant, now = Date.now()): string {
  return sealed(signer, 'token', grant, now + PAGE_TOKEN_MS);
}

/** The token's grant; undefined for an expired or invalid token, or for one of another agent. */
export function readPageToken(
  signer: Signer,
  token: string,
  agent: AgentIdentity,
  now = Date.now(),
): GivenGrant | undefined {
  const grant = unsealed(signer, 'token', token, now);
  const top = grant === undefined ? undefined : parseWorkflowId(grant.agent);
  return top !== undefined && isWithin(agent, top) ? grant : undefined;
}

type Kind = 'key' | 'token';

/** The signed form: a list, so that equal grants have equal texts. */
type Sealed = readonly [kind: Kind, agent: string, spawnId: string, forRecord: boolean, asker: string, until: number];

function sealed(signer: Signer, kind: Kind, grant: PageGrant, until: number): string {
  const fields: Sealed = [kind, grant.agent, grant.spawnId, grant.forRecord, grant.asker, until];
  const text = Buffer.from(JSON.stringify(fields)).toString('base64url');
  return `${text}.${signer.sign('page key', text)}`;
}

function unsealed(signer: Signer, kind: Kind, seal: string, now: number): GivenGrant | undefined {
  const [, text = '', signature = ''] = /^([A-Za-z0-9_-]{1,4000})\.([A-Za-z0-9_-]{43})$/.exec(seal) ?? [];
  if (!signer.holds('page key', text, signature)) return undefined;
  // Trusted, because the signature is valid.
  const [is, agent, spawnId, forRecord, asker, until] = JSON.parse(
    Buffer.from(text, 'base64url').toString('utf8'),
  ) as Sealed;
  return is === kind && until > now ? { agent, spawnId, forRecord, asker, until } : undefined;
}
