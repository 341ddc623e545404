// The end of an agent whose workflow has closed and left its machine: the same clean-up as every other end.
import type { EndAgentInput } from '../contract/wire/activities.ts';
import type { AgentRecord } from '../contract/wire/agent.ts';
import { agentRecord, agentStatus } from '../contract/wire/status.ts';
import { endAgent } from '../agents/end.ts';
import type { ClosedAgent } from '../agents/sweep/facts.ts';
import { createAdmission } from './admission.ts';
import type { AgentPorts } from './ports.ts';

/** What the record and the log say of an agent that could not tell how it ended. */
const REASON = 'its workflow ended without cleaning up';

/** Ends such an agent, last snapshot included. Idempotent. Throws what the provider and the stores throw. */
export function createEndUnowned(ports: AgentPorts): (agent: ClosedAgent) => Promise<void> {
  const admission = createAdmission(ports);
  return async (agent) => {
    const input = await endInput(ports, agent);
    await endAgent(ports, agent.id, input, () => admission.isSealed(agent.id, input.spec));
    admission.forget(agent.id);
  };
}

/** By what the agent itself has told: its record, what it left to its killer, or nothing but how its workflow closed. */
async function endInput(ports: AgentPorts, agent: ClosedAgent): Promise<EndAgentInput> {
  const spec = { ...agent.spec, prompt: { text: '' } };
  if (agent.record !== undefined) return { spec, record: agent.record };
  if (agent.left !== undefined) return agent.left;
  const { at, phase } = closeOf(agent);
  // Viewers of the log wait for the end.
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
  const { machine } = spec;
  const { at, phase } = closeOf(agent);
  const status = agentStatus(spec, {
    phase,
    phase_since: at,
    reason: REASON,
    vm: { name: machine.name, provider: machine.provider, isolation: 'unknown', state: 'running' },
    ended_at: at,
    pending_input: false,
  });
  return agentRecord(spec, status);
}
