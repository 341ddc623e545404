// Everything beneath an agent that is killed: told at once, waited for together.
import type { KillAgentsInput, KillAgentsResult } from '../contract/wire/activities.ts';
import { attentively } from './attention.ts';
import type { AgentPorts } from './ports.ts';

/** An agent ends within a minute and a half, or its machine does not answer. */
const END_LIMIT_MS = 120_000;

/** `killAgents`: idempotent, as each agent knows the order by its id. */
export function killAgents(
  ports: Pick<AgentPorts, 'control' | 'handover'>,
  { agents, order }: KillAgentsInput,
): Promise<KillAgentsResult> {
  return attentively(ports.handover, async ({ signal }) => {
    const results = await Promise.all(
      agents.map(async (agent) => {
        // It may have ended in the meantime: its result is asked for all the same.
        await ports.control.signal(agent, 'kill', order);
        return {
          agent,
          result: await ports.control.result(agent, AbortSignal.any([signal, AbortSignal.timeout(END_LIMIT_MS)])),
        };
      }),
    );
    signal.throwIfAborted();
    return {
      receipt: results.flatMap(({ result }) => result?.receipt ?? []),
      ended: results.flatMap(({ agent, result }) =>
        result === undefined ? [] : [{ agent, phase: result.phase, total_usd: result.total_usd }],
      ),
      unanswered: results.filter(({ result }) => result === undefined).map(({ agent }) => agent),
    };
  });
}
