// The workflow of one agent: wires the pure state to signals, timers and activities.
// Two rules carry it (measured, without them signals are lost): handlers are synchronous, and nothing is awaited
// between the last look at the state and return or continue-as-new.
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { AgentResult, AgentSpec } from '../../contract/wire/agent.ts';
import { activityProblem } from '../failure.ts';
import type { SignalOutbox } from '../outbox.ts';
import { prepareAgent } from './activities.ts';
import { reviewBudget } from './budget/spending.ts';
import { allStarted, hasBusyChildren } from './children/children.ts';
import { endAgentForGood } from './ending.ts';
import { awaitsFlight, endFlight, startFlight } from './flight.ts';
import { registerHandlers } from './handlers.ts';
import { carriedState, migrate } from './migrate.ts';
import { startOutboxes } from './outboxes.ts';
import { startPublisher } from './publisher.ts';
import type { Publisher } from './publisher.ts';
import type { AgentState, EndOrder } from './state.ts';
import { enterPhase, initialState, orderEnd, sessionInput, takeSession } from './transitions.ts';
import type { Verdict } from './turn/completion.ts';
import { assessToItsEnd, runTurnToItsEnd } from './turn/run.ts';
import { beginTurn, canStart } from './turn/turn.ts';
import { showState } from './visibility.ts';

/** Turns in one run: at some 15 events each well below the 51,200 that a history may have. */
const TURNS_PER_RUN = 200;
/** Signals in one run: Temporal refuses the 10,001st, and a long turn must leave room for many more. */
const SIGNALS_PER_RUN = 1_000;
/** Events of any kind: a replay of more takes seconds. */
const EVENTS_PER_RUN = 5_000;

/**
 * What the next run can be given: a payload may have 2 MB, and one that is larger ends the workflow. Only a flood of long
 * messages comes near; it is worked off first. The outbox comes on top, with 500 events of some 600 bytes at most.
 */
const CARRIED_BYTES = 1_200_000;

/**
 * One agent, from its spawn to its end.
 * @param spec what was decided at spawn
 * @param carried the state of the run before, when the workflow continues as new
 */
export async function agent(spec: AgentSpec, carried?: AgentState): Promise<AgentResult> {
  const state = carried === undefined ? initialState(spec, new Date().toISOString()) : migrate(carried, spec);
  registerHandlers(state, spec);
  // Cancel in Temporal's Web UI means what kill means, and what kill has to do must not be cancelled.
  void CancellationScope.current().cancelRequested.catch(() => {
    orderEnd(state, { how: 'kill', by: 'operator', reason: 'canceled in Temporal' });
  });
  // Only for a pilot: an await, even for nothing, changes the order in which others come to replay their commands.
  if (carried === undefined && spec.flight !== undefined) {
    await CancellationScope.nonCancellable(() => startFlight(spec));
  }
  return await CancellationScope.nonCancellable(() => {
    const signals = startOutboxes(state, spec);
    return live(state, spec, startPublisher(state, spec, signals), signals);
  });
}

/** A machine, turns while anything waits for one, rest, a new run now and then; and the end. */
async function live(
  state: AgentState,
  spec: AgentSpec,
  publisher: Publisher,
  signals: SignalOutbox,
): Promise<AgentResult> {
  for (;;) {
    if (state.end === undefined && state.vm?.state !== 'running') await prepare(state, spec, publisher);
    if (state.end !== undefined) return await end(state, spec, state.end, signals);
    reviewBudget(state, spec, new Date().toISOString());
    if (mustContinueAsNew(spec, state)) await continueWhenQuiet(state, spec, signals);
    else if (canStart(state, Date.now())) await takeTurn(state, spec, publisher);
    else await rest(state, spec);
  }
}

/** Makes the machine and the workspace; a kill or stop that comes meanwhile cancels it. */
async function prepare(state: AgentState, spec: AgentSpec, publisher: Publisher): Promise<void> {
  showState(state, spec);
  const events = publisher.offer();
  const scope = new CancellationScope({ cancellable: true });
  const made = scope.run(() =>
    prepareAgent({ spec, events, ...sessionInput(state) }, state.turns === 0 ? 'machine and workspace' : 'new machine'),
  );
  let settled = false;
  const result = made
    .then(
      ({ vm, session_id }) => {
        state.vm = vm;
        takeSession(state, session_id);
      },
      (error: unknown) => {
        if (state.end !== undefined) return;
        const problem = activityProblem(error);
        if (problem === undefined) throw error;
        orderEnd(state, { how: 'fail', by: 'murmur', reason: problem.message });
      },
    )
    .finally(() => (settled = true));
  await condition(() => settled || state.end !== undefined);
  if (!settled) {
    scope.cancel();
    // Until the activity has seen it: what it still makes would otherwise outlive the agent. A dead worker's is given
    // up at its heartbeat timeout; the bound is for a worker that does not come back.
    await condition(() => settled, '15s');
    if (!settled) return;
  }
  await result;
}

/** One turn, the assessment that may follow it, and what both mean for the phase. */
async function takeTurn(state: AgentState, spec: AgentSpec, publisher: Publisher): Promise<void> {
  const turn = beginTurn(state, spec, uuid4(), new Date().toISOString());
  showState(state, spec);
  const verdict = await runTurnToItsEnd(state, spec, turn, publisher.offer());
  settle(state, spec, verdict?.next === 'assess' ? await assess(state, spec) : verdict);
}

/** Asks the assessor, unless the agent is to end. */
async function assess(state: AgentState, spec: AgentSpec): Promise<Verdict | undefined> {
  if (state.end !== undefined) return undefined;
  showState(state, spec);
  return await assessToItsEnd(state, spec);
}

/** What the verdict means for the phase. An end that was ordered meanwhile goes before it. */
function settle(state: AgentState, spec: AgentSpec, verdict: Verdict | undefined): void {
  if (verdict === undefined || verdict.next === 'assess' || verdict.next === 'continue' || state.end !== undefined)
    return;
  if (verdict.next === 'fail') {
    orderEnd(state, { how: 'fail', by: 'murmur', reason: verdict.reason });
    return;
  }
  const now = new Date().toISOString();
  if (verdict.complete) enterPhase(state, 'task-complete', now);
  // Its children would go on without anybody to tell; the last of them wakes it, and it ends then.
  if (verdict.complete && spec.on_idle === 'terminate' && !hasBusyChildren(state) && !awaitsFlight(state, spec)) {
    orderEnd(state, { how: 'terminate', by: 'murmur', reason: undefined });
    return;
  }
  enterPhase(state, 'idle', now, verdict.reason, verdict.code);
}

/** Nothing can be done: the agent idles until a message, an end, or the time at which a parked one tries again. */
async function rest(state: AgentState, spec: AgentSpec): Promise<void> {
  const { parked } = state;
  if (parked !== undefined) enterPhase(state, 'idle', new Date().toISOString(), parked.reason);
  showState(state, spec);
  const due = (): boolean => state.end !== undefined || canStart(state, Date.now()) || mustContinueAsNew(spec, state);
  if (parked?.retry_at === undefined) {
    await condition(due);
  } else {
    await condition(due, Math.max(Date.parse(parked.retry_at) - Date.now(), 1));
  }
}

/** Tells its flight, if it pilots one, and ends the agent. */
async function end(state: AgentState, spec: AgentSpec, order: EndOrder, signals: SignalOutbox): Promise<AgentResult> {
  if (spec.flight !== undefined) await endFlight(spec);
  return await endAgentForGood(state, spec, order, signals);
}

/** Hands the state to a new run once nothing is under way; what comes meanwhile is seen to first. */
async function continueWhenQuiet(state: AgentState, spec: AgentSpec, signals: SignalOutbox): Promise<void> {
  // A child that is being started must be known to the run that follows.
  const settled = (): boolean => allHandlersFinished() && allStarted(state);
  if (!settled()) await condition(settled);
  if (signals.busy) await signals.drain();
  if (!signals.busy && settled()) await continueAsNew<typeof agent>(spec, carriedState(state));
}

/** Whether this run has grown enough and can be left. Only asked at quiet points, when no turn runs. */
function mustContinueAsNew(spec: AgentSpec, state: AgentState): boolean {
  // Without the outbox: when it is emptied is not the same in a replay (publisher.ts).
  const size = (): number => new TextEncoder().encode(JSON.stringify({ ...state, outbox: [] })).length;
  return hasGrown(spec, state) && size() <= CARRIED_BYTES;
}

function hasGrown(spec: AgentSpec, state: AgentState): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return (
    state.run.turns >= (spec.limits?.continue_after_turns ?? TURNS_PER_RUN) ||
    state.run.signals >= (spec.limits?.continue_after_signals ?? SIGNALS_PER_RUN) ||
    historyLength >= EVENTS_PER_RUN ||
    continueAsNewSuggested
  );
}
