// Cleans up after an agent whose workflow has closed without doing so, with the same steps as every other end.
import type { EndAgentInput } from '../contract/wire/activities.ts';
import type { AgentRecord } from '../contract/wire/agent.ts';
import { blankStatus } from '../contract/wire/blank-status.ts';
import { endAgent } from '../agents/end.ts';
import type { ClosedAgent } from '../agents/sweep/facts.ts';
import { createAdmission } from './admission.ts';
import type { AgentPorts } from './ports.ts';

/** The reason in the record and the log of an agent that could not report its end. */
const REASON = 'its workflow ended without cleaning up';

/** Ends such an agent and takes its final snapshot. Idempotent. Throws the errors of the provider and the stores. */
export function createEndUnowned(ports: AgentPorts): (agent: ClosedAgent) => Promise<void> {
  const admission = createAdmission(ports);
  return async (agent) => {
    const input = await endInput(ports, agent);
    await endAgent(ports, agent.id, input, () => admission.isSealed(agent.id, input.spec));
    admission.forget(agent.id);
  };
}

/** The input of the end: from the agent's record, from its pending clean-up, or from how its workflow closed. */
async function endInput(ports: AgentPorts, agent: ClosedAgent): Promise<EndAgentInput> {
  const spec = { ...agent.spec, prompt: { text: '' } };
  if (agent.record !== undefined) return { spec, record: agent.record };
  if (agent.left !== undefined) return agent.left;
  const { at, phase } = closeOf(agent);
  // Viewers of the log wait for this event.
  const seq = (await ports.events.lastSeq(agent.id, 'workflow')) + 1;
  const events = [{ seq, at, event: { type: 'phase', phase, reason: REASON } }] as const;
  return { spec, record: recordOf(agent), events };
}

function closeOf({ closed, spec }: ClosedAgent): {
  readonly at: string;
  readonly phase: AgentRecord['status']['phase'];
} {
  return { at: closed?.at.toISOString() ?? spec.created_at, phase: closed?.phase ?? 'canceled' };
}

function recordOf(agent: ClosedAgent): AgentRecord {
  const { spec } = agent;
  const { identity, purpose, machine, created_at } = spec;
  const { at, phase } = closeOf(agent);
  return {
    status: {
      ...blankStatus(identity),
      phase,
      phase_since: at,
      reason: REASON,
      ...(purpose === undefined ? {} : { purpose }),
      on_idle: spec.on_idle,
      dequeue_strategy: spec.dequeue_strategy,
      vm: { name: machine.name, provider: machine.provider, isolation: 'unknown', state: 'running' },
      created_at,
      ended_at: at,
      pending_input: false,
    },
    tasks: [],
    spec,
  };
}
