// Whether a grant still holds: it ends with the token that asked for it, and with its agent.
import { parseWorkflowId } from '../../contract/wire/identity.ts';
import type { AgentAddress } from '../../agents/names.ts';
import { addressOfIdentity } from '../../agents/names.ts';
import { followToEnd } from '../../agents/log.ts';
import { lifeOf } from '../../agents/find.ts';
import type { ServerParts } from '../parts.ts';
import { livingToken } from '../token-name.ts';
import type { TokenWatch } from '../token-watch.ts';
import type { GivenGrant, PageGrant } from './page-key.ts';

/** An agent whose page a browser may see. */
export interface Visit {
  readonly agent: AgentAddress;
  readonly grant: GivenGrant;
}

/** Whether neither the token that asked for it nor its agent has ended. Throws UNAVAILABLE. */
export async function holds(parts: ServerParts, grant: PageGrant): Promise<boolean> {
  if ((await livingToken(parts, grant.asker)) === undefined) return false;
  const top = topOf(grant);
  const life = top === undefined ? undefined : await lifeOf(parts, top);
  return life?.spawnId === grant.spawnId && (grant.forRecord || !life.hasEnded);
}

/** Aborts when the visit ends: with its time, with the token that asked, and with an agent above the one that is shown. */
export function visitEnd(
  parts: ServerParts,
  watch: TokenWatch,
  { agent, grant }: Visit,
  over: AbortSignal,
): AbortSignal {
  // A timer of any length has to be at least one millisecond long.
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
      // Only the end of it counts.
    }
  };
  // What cannot be followed is not shown: the browser asks again.
  void follow().then(
    () => ended.abort(),
    () => ended.abort(),
  );
  return ended.signal;
}
