// The end of an agent: its machine goes, its record stays.
import { allHandlersFinished, condition } from '@temporalio/workflow';
import type { AgentResult, AgentSpec, ReceiptLine } from '../../contract/wire/agent.ts';
import { absolutePathOf, workflowIdOf } from '../../contract/wire/identity.ts';
import type { TerminalPhase } from '../../contract/wire/phases.ts';
import { activityProblem } from '../failure.ts';
import type { SignalOutbox } from '../outbox.ts';
import { endAgent, killAgents, publishLast } from './activities.ts';
import { allStarted, livingChildren, applyKillResults } from './children/children.ts';
import type { AgentState, EndRequest } from './state.ts';
import { recordOf, resultOf } from './status.ts';
import { addToOutbox, confirmEvents, recordEvent } from './timeline.ts';
import { enterPublishedPhase, enterPhase, phaseEvent } from './transitions.ts';
import { showState } from './visibility.ts';

const PHASE_OF: Readonly<Record<EndRequest['how'], TerminalPhase>> = {
  kill: 'canceled',
  stop: 'completed',
  terminate: 'completed',
  fail: 'failed',
};

/** How often the record is written again for messages that came while the agent ended; a flood must not keep it alive. */
const RECORD_WRITES = 5;

/**
 * Ends the agent and answers its receipt. It ends even when the machine cannot be destroyed in time; the receipt says
 * so then. Messages that were accepted and not delivered, also those that come while it ends, are in the record.
 */
export async function shutDown(
  state: AgentState,
  spec: AgentSpec,
  order: EndRequest,
  signals: SignalOutbox,
): Promise<AgentResult> {
  // A child that is being started is waited for, so that it is killed as well.
  const settled = (): boolean => allHandlersFinished() && allStarted(state);
  if (!settled()) await condition(settled);
  if (order.leave_machine === true) return await leave(state, spec, order, signals);
  // Beside the agent's own end, so that all levels of a tree fall at once.
  const beneath = order.how === 'kill' ? killDescendants(state, spec, order) : Promise.resolve([]);
  const phase = PHASE_OF[order.how];
  const reason = reasonOf(order);
  const ended_at = new Date().toISOString();
  let machineState = 'unknown';
  let snapshot: string | undefined;
  // The log has it when the machine is gone: until then nobody publishes (publisher.ts).
  addToOutbox(state, phaseEvent(phase, reason), ended_at);
  let written = 0;
  for (let round = 1; ; round += 1) {
    const { messages, last_event: newest } = state;
    const last: AgentState = { ...state, phase, reason, ended_at, phase_since: ended_at, parked: undefined };
    try {
      const result = await endAgent(
        { spec: withoutPrompt(spec), record: recordOf(last, spec), events: [...state.outbox] },
        `end: ${phase}`,
      );
      confirmEvents(state, newest);
      written = newest;
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
    enterPublishedPhase(state, phase, ended_at, reason);
    showState(state, spec);
    if (signals.busy) await signals.drain();
    const receipt = await beneath;
    if (state.last_event > written) {
      written = state.last_event;
      await publishLast({ agent: workflowIdOf(spec.identity), events: [...state.outbox] }).catch(() => undefined);
    }
    // Nothing is awaited from here to the return: a message that is accepted later makes Temporal repeat this task.
    if (state.messages === messages || round >= RECORD_WRITES) {
      return resultOf(state, spec, machineState, snapshot, receipt);
    }
  }
}

/**
 * Ends the workflow alone, in the task that brings the order, and leaves the rest to whoever gave it: that makes the end of
 * a tree one activity instead of one for each agent.
 */
async function leave(
  state: AgentState,
  spec: AgentSpec,
  order: EndRequest,
  signals: SignalOutbox,
): Promise<AgentResult> {
  const ended_at = new Date().toISOString();
  state.ended_at = ended_at;
  state.parked = undefined;
  enterPhase(state, PHASE_OF[order.how], ended_at, reasonOf(order));
  showState(state, spec);
  if (signals.busy) await signals.drain();
  // Nothing is awaited from here to the return, so that what came meanwhile is in the record.
  return {
    ...resultOf(state, spec, 'left to be destroyed', undefined, []),
    left: {
      spec: withoutPrompt(spec),
      record: recordOf(state, spec),
      events: [...state.outbox],
      children: livingChildren(state, spec),
    },
  };
}

function withoutPrompt(spec: AgentSpec): AgentSpec {
  return { ...spec, prompt: { text: '' } };
}

/** Receipts of everything beneath; a child that does not answer in time is named with what is known of it. */
async function killDescendants(
  state: AgentState,
  spec: AgentSpec,
  { reason }: EndRequest,
): Promise<readonly ReceiptLine[]> {
  const agents = livingChildren(state, spec);
  if (agents.length === 0) return [];
  const order = {
    id: `kill-${spec.spawn_id}`,
    from: absolutePathOf(spec.identity),
    with_parent: true as const,
    leave_machine: true as const,
    ...(reason === undefined ? {} : { reason }),
  };
  try {
    const killed = await killAgents({ agents, order }, `kill ${agents.length} children`);
    applyKillResults(state, spec, killed, new Date().toISOString());
    return killed.receipt;
  } catch (error) {
    const problem = activityProblem(error);
    if (problem === undefined) throw error;
    recordEvent(
      state,
      { type: 'note', text: `children were not all killed: ${problem.message}` },
      new Date().toISOString(),
    );
    return [];
  }
}

function reasonOf({ how, by, reason }: EndRequest): string | undefined {
  if (how === 'fail' || how === 'terminate') return reason;
  const what = `${how === 'kill' ? 'killed' : 'stopped'} by ${by}`;
  return reason === undefined ? what : `${what}: ${reason}`;
}
