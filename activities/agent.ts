// The activities of the agent workflow over the ports.
import type { AgentActivities, EndAgentInput, EndAgentResult, PrepareInput } from '../contract/wire/activities.ts';
import type { OfAgent } from '../contract/wire/agent.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { endAgent } from '../agents/end.ts';
import { callingWorkflow, createAdmission } from './admission.ts';
import type { Admitted } from './admission.ts';
import { assess } from './assess.ts';
import { withHeartbeat } from './activity-scope.ts';
import { failing } from './failure.ts';
import type { AgentPorts } from './ports.ts';
import { killAgents } from './kill-agents.ts';
import { prepareAgent } from './prepare-agent.ts';
import { runTurn } from './run-turn.ts';
import { interruptTurn, noticeTurn } from './running-turn.ts';
import { Sessions } from './sessions.ts';
import { createLatestAttempt } from './latest-attempt.ts';

/** One set per worker: it has the running attempts and the opened sessions of this worker. */
export function createAgentActivities(ports: AgentPorts): AgentActivities {
  const admission = createAdmission(ports);
  const context = { ports, admission, latestAttempt: createLatestAttempt(), sessions: new Sessions(ports) };
  const endOne = async (input: EndAgentInput, agent: string): Promise<EndAgentResult> => {
    const result = await endAgent(ports, agent, input, () => admission.isSealed(agent, input));
    admission.forget(agent);
    return result;
  };
  /** Wraps an activity that accepts only agents with a sealed spec. */
  const admitting = <Input extends OfAgent, Output>(
    activity: (ports: AgentPorts, input: Admitted<Input>) => Promise<Output>,
    options?: { readonly again: boolean },
  ): ((input: Input) => Promise<Output>) =>
    failing(async (input) => {
      const spec = await admission.admit(callingWorkflow(), input, options);
      return await activity(ports, { ...input, spec });
    });
  return {
    // The first activity of an agent. Reads the seal again, because the agent may have ended under another worker.
    prepareAgent: admitting((_, input: Admitted<PrepareInput>) => prepareAgent(context, input), { again: true }),
    runTurn: failing((input) => runTurn(context, input)),
    assess: admitting(assess),
    interruptTurn: admitting(interruptTurn),
    noticeTurn: admitting(noticeTurn),
    endAgent: failing((input) => withHeartbeat(ports.handover, () => endOne(input, callingWorkflow()))),
    killAgents: failing((input) => killAgents(ports, endOne, input)),
    publishEvents: failing(async ({ agent, events }) => {
      if (agent !== callingWorkflow()) throw new MurmurError('PERMISSION_DENIED', `these are not events of ${agent}`);
      await ports.events.append(agent, 'workflow', events);
    }),
  };
}
