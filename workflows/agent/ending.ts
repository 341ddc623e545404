// The end of an agent: its machine goes, its record stays.
import type { AgentResult, AgentSpec } from '../../contract/wire/agent.ts';
import type { TerminalPhase } from '../../contract/wire/phases.ts';
import { endAgent } from './activities.ts';
import { activityProblem } from './failure.ts';
import type { Publisher } from './publisher.ts';
import { enterPhase } from './state.ts';
import type { AgentState, EndOrder } from './state.ts';
import { recordOf, resultOf } from './status.ts';
import { showState } from './visibility.ts';

const PHASE_OF: Readonly<Record<EndOrder['how'], TerminalPhase>> = {
  kill: 'canceled',
  stop: 'completed',
  terminate: 'completed',
  fail: 'failed',
};

/** How often the record is written again for messages that came while the agent ended; a flood must not keep it alive. */
const ROUNDS = 5;

/**
 * Ends the agent and answers its receipt. It ends even when the machine cannot be destroyed in time; the receipt says
 * so then. Messages that were accepted and not delivered, also those that come while it ends, are in the record.
 */
export async function endAgentForGood(
  state: AgentState,
  spec: AgentSpec,
  order: EndOrder,
  publisher: Publisher,
): Promise<AgentResult> {
  const phase = PHASE_OF[order.how];
  const reason = reasonOf(order);
  const ended_at = new Date().toISOString();
  let machineState = 'unknown';
  let snapshot: string | undefined;
  for (let round = 1; ; round += 1) {
    const messages = state.messages;
    const last: AgentState = { ...state, phase, reason, ended_at, phase_since: ended_at, parked: undefined };
    try {
      const turn = state.turn?.running === true ? { turn_id: state.turn.id } : {};
      const result = await endAgent(
        { spec: { ...spec, prompt: { text: '' } }, record: recordOf(last, spec), ...turn },
        `end: ${phase}`,
      );
      machineState = result.machine_state;
      snapshot = result.snapshot ?? snapshot;
    } catch (error) {
      const problem = activityProblem(error);
      if (problem === undefined) throw error;
      machineState = `not destroyed: ${problem.message}`;
    }
    if (state.vm !== undefined && machineState === 'destroyed') state.vm = { ...state.vm, state: 'gone' };
    state.ended_at = ended_at;
    state.parked = undefined;
    enterPhase(state, phase, new Date().toISOString(), reason);
    showState(state, spec);
    await publisher.drain();
    // Nothing is awaited from here to the return: a message that is accepted later makes Temporal repeat this task.
    if ((state.messages === messages && !publisher.busy) || round >= ROUNDS) {
      return resultOf(state, spec, machineState, snapshot);
    }
  }
}

function reasonOf({ how, by, reason }: EndOrder): string | undefined {
  if (how === 'fail' || how === 'terminate') return reason;
  const what = `${how === 'kill' ? 'killed' : 'stopped'} by ${by}`;
  return reason === undefined ? what : `${what}: ${reason}`;
}
