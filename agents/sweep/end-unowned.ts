// Ends an agent whose workflow has closed, or is unknown to Temporal, and whose machine is still there. The clean-up is
// that of every other end.
import type { EndAgentInput, EndAgentResult } from '../../contract/wire/activities.ts';
import type { AgentRecord } from '../../contract/wire/agent.ts';
import { agentRecord, agentStatus } from '../../contract/wire/status.ts';
import { providerNamed } from '../../drivers/machines/configured.ts';
import { endAgent, endInOrder } from '../end.ts';
import type { EndPorts } from '../end.ts';
import { describeMachineOf } from '../machine.ts';
import type { MachineClaim } from '../machine-claim.ts';
import { isSealed } from '../seal-check.ts';
import type { ClosedAgent } from './facts.ts';

/** The reason in record and log for an agent that did not report how it ended. */
const REASON = 'its workflow ended without cleaning up';

/**
 * Ends the agent, including a final snapshot. Idempotent. Throws the errors of the provider, the stores and `confirm`.
 * @param claim on its machine; the caller holds it until the end is complete
 * @param reason for record and log, if the agent itself reported nothing
 */
export async function endUnowned(
  ports: EndPorts,
  agent: ClosedAgent,
  claim: Pick<MachineClaim, 'confirm'>,
  reason = REASON,
): Promise<EndAgentResult> {
  if (agent.isReplaced) return await endReplaced(ports, agent, claim);
  const input = await endInput(ports, agent, reason);
  return await endAgent(ports, agent.id, input, () => isSealed(ports, agent.id, input), claim.confirm);
}

/**
 * Cleans up only what is named after the spawn. Record, log and snapshots are named after the agent's id, which a later
 * spawn has taken over.
 */
async function endReplaced(
  ports: EndPorts,
  { id, spec }: ClosedAgent,
  claim: Pick<MachineClaim, 'confirm'>,
): Promise<EndAgentResult> {
  const { machine, spawn_id: spawnId } = spec;
  const provider = providerNamed(ports.machines, machine.provider);
  await endInOrder(
    ports,
    { agent: id, spawnId },
    {
      endMachine: async () => {
        await describeMachineOf(provider, machine.name, { agentId: id, spawnId });
        await claim.confirm();
        await provider.destroy(machine.name);
        return 'destroyed';
      },
      record: () => Promise.resolve(undefined),
      publish: () => Promise.resolve(),
    },
  );
  return { machine_state: 'destroyed' };
}

/**
 * The input of the end, from the best source there is: the agent's record, the pending clean-up in its result, or how
 * its workflow closed.
 */
async function endInput(ports: EndPorts, agent: ClosedAgent, reason: string): Promise<EndAgentInput> {
  const spec = { ...agent.spec, prompt: { text: '' } };
  if (agent.record !== undefined) return { spec, record: agent.record };
  if (agent.left !== undefined) return agent.left;
  const { at, phase } = closeOf(agent);
  // Viewers of the log wait for the end.
  const seq = (await ports.events.lastSeq(agent.id, 'workflow')) + 1;
  const events = [{ seq, at, event: { type: 'phase', phase, reason } }] as const;
  return { spec, record: recordOf(agent, reason), events };
}

/** When and how the agent closed. If Temporal does not know the agent any more, now. */
function closeOf({ closed }: ClosedAgent): { readonly at: string; readonly phase: AgentRecord['status']['phase'] } {
  return { at: (closed?.at ?? new Date()).toISOString(), phase: closed?.phase ?? 'canceled' };
}

function recordOf(agent: ClosedAgent, reason: string): AgentRecord {
  const { spec } = agent;
  const { machine } = spec;
  const { at, phase } = closeOf(agent);
  const status = agentStatus(spec, {
    phase,
    phase_since: at,
    reason,
    vm: { name: machine.name, provider: machine.provider, isolation: 'unknown', state: 'running' },
    ended_at: at,
    pending_input: false,
  });
  return agentRecord(spec, status);
}
