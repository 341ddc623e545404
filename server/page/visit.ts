// Checks whether a grant is still valid. It ends with the token that requested it, and with its agent.
import { parseWorkflowId } from '../../contract/wire/identity.ts';
import type { AgentAddress } from '../../agents/names.ts';
import { addressOfIdentity } from '../../agents/names.ts';
import { followToEnd } from '../../agents/log.ts';
import { lifeOf } from '../../agents/find.ts';
import type { ServerParts } from '../parts.ts';
import { livingToken } from '../token-name.ts';
import type { TokenWatch } from '../token-watch.ts';
import type { GivenGrant, PageGrant } from './page-key.ts';

/** An agent whose page a browser may show. */
export interface Visit {
  readonly agent: AgentAddress;
  readonly grant: GivenGrant;
}

/** Whether the requesting token and the agent are still valid. Throws UNAVAILABLE. */
export async function holds(parts: ServerParts, grant: PageGrant): Promise<boolean> {
  if ((await livingToken(parts, grant.asker)) === undefined) return false;
  const top = topOf(grant);
  const life = top === undefined ? undefined : await lifeOf(parts, top);
  return life?.spawnId === grant.spawnId && (grant.forRecord || !life.hasEnded);
}

/** Aborts when the visit ends: at its expiry, with the requesting token, or with an ancestor of the shown agent. */
export function visitEnd(
  parts: ServerParts,
  watch: TokenWatch,
  { agent, grant }: Visit,
  over: AbortSignal,
): AbortSignal {
  // A timeout must be at least one millisecond.
  const late = AbortSignal.timeout(Math.max(grant.until - Date.now(), 1));
  const ends = [over, late, watch.watchNamed(grant.asker, over)];
  const top = topOf(grant);
  if (top !== undefined && top.id !== agent.id && !grant.forRecord) ends.push(agentEnd(parts, top, over));
  return AbortSignal.any(ends);
}

function topOf({ agent }: PageGrant): AgentAddress | undefined {
  const identity = parseWorkflowId(agent);
  return identity === undefined ? undefined : addressOfIdentity(identity);
}

function agentEnd(parts: ServerParts, agent: AgentAddress, over: AbortSignal): AbortSignal {
  const ended = new AbortController();
  const follow = async (): Promise<void> => {
    const [newest] = await parts.events.tail(agent.id, 1);
    for await (const _entry of followToEnd(parts, agent, newest?.id ?? 0, over)) {
      // Only the end of the log counts.
    }
  };
  // Ends the visit if the log cannot be followed; the browser reconnects.
  void follow().then(
    () => ended.abort(),
    () => ended.abort(),
  );
  return ended.signal;
}
