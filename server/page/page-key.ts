// What opens an agent's page: a key that is good for a moment is exchanged for a token that is good for a working day.
// Both can do nothing but read the pages of one agent and its descendants, and name what they end with.
import { parseWorkflowId } from '../../contract/wire/identity.ts';
import type { AgentIdentity } from '../../contract/wire/identity.ts';
import { isWithin } from '../../contract/wire/rights.ts';
import type { Signer } from '../signer.ts';

/** To follow a link from a terminal; it stands in the shell's scrollback for longer. */
export const KEY_MS = 10 * 60_000;
/** A working day. */
export const PAGE_TOKEN_MS = 8 * 3_600_000;

/** Whose pages may be read, and what ends that. */
export interface PageGrant {
  /** Workflow id. */
  readonly agent: string;
  readonly spawnId: string;
  /** Asked for after the agent's end, for its record; any other ends with the agent. */
  readonly forRecord: boolean;
  /** Name of the token that asked. */
  readonly asker: string;
}

/** A grant that has been given back, good until a time in milliseconds since the epoch. */
export type GivenGrant = PageGrant & { readonly until: number };

/** `<grant in base64url>.<signature>`. */
export function pageKey(signer: Signer, grant: PageGrant, now = Date.now()): string {
  return sealed(signer, 'key', grant, now + KEY_MS);
}

/** What the key grants; undefined for one that does not open the page of this agent, or not any more. */
export function readPageKey(signer: Signer, key: string, agentId: string, now = Date.now()): GivenGrant | undefined {
  const grant = unsealed(signer, 'key', key, now);
  return grant?.agent === agentId ? grant : undefined;
}

/** Made in exchange for a key. */
export function pageToken(signer: Signer, grant: PageGrant, now = Date.now()): string {
  return sealed(signer, 'token', grant, now + PAGE_TOKEN_MS);
}

/** What the token grants; undefined for one that does not show the page of this agent, or not any more. */
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

/** As it is signed: a list, so that the same grant is always the same text. */
type Sealed = readonly [kind: Kind, agent: string, spawnId: string, forRecord: boolean, asker: string, until: number];

function sealed(signer: Signer, kind: Kind, grant: PageGrant, until: number): string {
  const fields: Sealed = [kind, grant.agent, grant.spawnId, grant.forRecord, grant.asker, until];
  const text = Buffer.from(JSON.stringify(fields)).toString('base64url');
  return `${text}.${signer.sign('page key', text)}`;
}

function unsealed(signer: Signer, kind: Kind, seal: string, now: number): GivenGrant | undefined {
  const [, text = '', signature = ''] = /^([A-Za-z0-9_-]{1,4000})\.([A-Za-z0-9_-]{43})$/.exec(seal) ?? [];
  if (!signer.holds('page key', text, signature)) return undefined;
  // Ours, as the signature says.
  const [is, agent, spawnId, forRecord, asker, until] = JSON.parse(
    Buffer.from(text, 'base64url').toString('utf8'),
  ) as Sealed;
  return is === kind && until > now ? { agent, spawnId, forRecord, asker, until } : undefined;
}
