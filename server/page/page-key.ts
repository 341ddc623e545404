// What opens an agent's page: a key that is good for a moment is exchanged for a cookie that is good for a working day.
// Both can do nothing but read the pages of one agent and its descendants.
import { parseWorkflowId } from '../../contract/wire/identity.ts';
import type { AgentIdentity } from '../../contract/wire/identity.ts';
import { isWithin } from '../../contract/wire/rights.ts';
import type { Signer } from '../signer.ts';

/** To follow a link from a terminal; it stands in the shell's scrollback for longer. */
export const KEY_MS = 10 * 60_000;
/** A working day. */
export const COOKIE_MS = 8 * 3_600_000;

/** `<end>.<signature>`: which agent it is for stands in the address that it belongs to. */
export function pageKey(signer: Signer, agentId: string, now = Date.now()): string {
  return sealed(signer, 'page key', agentId, now + KEY_MS);
}

/** Whether the key opens the page of this agent. */
export function isPageKey(signer: Signer, key: string, agentId: string, now = Date.now()): boolean {
  return endOf(signer, 'page key', agentId, key, now) !== undefined;
}

/** The value of a cookie for the agent's page: `<id in base64url>.<end>.<signature>`. */
export function pageCookie(signer: Signer, agentId: string, now = Date.now()): string {
  const id = Buffer.from(agentId).toString('base64url');
  return `${id}.${sealed(signer, 'page cookie', agentId, now + COOKIE_MS)}`;
}

/** Until when the cookie opens the page of this agent, in milliseconds since the epoch; undefined when it does not. */
export function readPageCookie(
  signer: Signer,
  cookie: string,
  agent: AgentIdentity,
  now = Date.now(),
): number | undefined {
  const [, id = '', seal = ''] = /^([^.]+)\.(.+)$/.exec(cookie) ?? [];
  const agentId = Buffer.from(id, 'base64url').toString('utf8');
  const top = parseWorkflowId(agentId);
  if (top === undefined || !isWithin(agent, top)) return undefined;
  return endOf(signer, 'page cookie', agentId, seal, now);
}

type Purpose = 'page key' | 'page cookie';

function sealed(signer: Signer, purpose: Purpose, agentId: string, end: number): string {
  return `${String(end)}.${signer.sign(purpose, `${agentId}\n${String(end)}`)}`;
}

function endOf(signer: Signer, purpose: Purpose, agentId: string, seal: string, now: number): number | undefined {
  const [, end = '', signature = ''] = /^(\d{1,16})\.([A-Za-z0-9_-]{43})$/.exec(seal) ?? [];
  const isOurs = signer.holds(purpose, `${agentId}\n${end}`, signature);
  return isOurs && Number(end) > now ? Number(end) : undefined;
}
