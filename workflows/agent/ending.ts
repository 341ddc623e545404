// Ends an agent: its machine is destroyed, its record is kept.
import { allHandlersFinished, condition } from '@temporalio/workflow';
import type { AgentResult, AgentSpec, ReceiptLine } from '../../contract/wire/agent.ts';
import { absolutePathOf, workflowIdOf } from '../../contract/wire/identity.ts';
import type { TerminalPhase } from '../../contract/wire/phases.ts';
import { activityProblem } from '../failure.ts';
import type { SignalOutbox } from '../outbox.ts';
import { ofAgent } from '../session-ref.ts';
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

/**
 * How often the record is written for messages that arrive while the agent ends. Bounded, so that a flood of messages
 * cannot keep the agent alive.
 */
const RECORD_WRITES = 5;

/**
 * Ends the agent and returns its result with the receipt. The agent ends even if its machine cannot be destroyed in
 * time; the receipt then says so. The record lists accepted messages that were not delivered, including those that
 * arrive while the agent ends.
 */
export async function shutDown(
  state: AgentState,
  spec: AgentSpec,
  request: EndRequest,
  signals: SignalOutbox,
): Promise<AgentResult> {
  // Waits for children that are still being started, so that they are killed too.
  const settled = (): boolean => allHandlersFinished() && allStarted(state);
  if (!settled()) await condition(settled);
  if (request.leave_machine === true) return await completeWithoutCleanup(state, spec, request, signals);
  // Runs concurrently with the agent's own end, so that all levels of a tree end at the same time.
  const descendants = request.how === 'kill' ? killDescendants(state, spec, request) : Promise.resolve([]);
  const phase = PHASE_OF[request.how];
  const reason = reasonOf(request);
  const ended_at = new Date().toISOString();
  let machineState = 'unknown';
  let snapshot: string | undefined;
  // The event is published once the machine is destroyed; until then nothing else publishes (publisher.ts).
  addToOutbox(state, phaseEvent(phase, reason), ended_at);
  let written = 0;
  for (let round = 1; ; round += 1) {
    const { messages, last_event: newest } = state;
    const last: AgentState = { ...state, phase, reason, ended_at, phase_since: ended_at, parked: undefined };
    try {
      const result = await endAgent(
        { ...ofAgent(spec), record: recordOf(last, spec), events: [...state.outbox] },
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
    const receipt = await descendants;
    if (state.last_event > written) {
      written = state.last_event;
      await publishLast({ agent: workflowIdOf(spec.identity), events: [...state.outbox] }).catch(() => undefined);
    }
    // Nothing is awaited between here and the return: a message accepted later makes Temporal repeat this task.
    if (state.messages === messages || round >= RECORD_WRITES) {
      return resultOf(state, spec, machineState, snapshot, receipt);
    }
  }
}

/**
 * Completes the workflow in the task that delivers the kill, and leaves machine and record to its sender. The end of a
 * tree is then one activity instead of one per agent.
 */
async function completeWithoutCleanup(
  state: AgentState,
  spec: AgentSpec,
  request: EndRequest,
  signals: SignalOutbox,
): Promise<AgentResult> {
  const ended_at = new Date().toISOString();
  state.ended_at = ended_at;
  state.parked = undefined;
  enterPhase(state, PHASE_OF[request.how], ended_at, reasonOf(request));
  showState(state, spec);
  if (signals.busy) await signals.drain();
  // Nothing is awaited between here and the return, so that the record has every message that arrived.
  return {
    ...resultOf(state, spec, 'left to be destroyed', undefined, []),
    left: {
      ...ofAgent(spec),
      record: recordOf(state, spec),
      events: [...state.outbox],
      children: livingChildren(state, spec),
    },
  };
}

/**
 * Kills all descendants and returns their receipts. The receipt of a child that does not answer in time has what is
 * known of it.
 */
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
