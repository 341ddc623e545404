// The workflow of one agent: connects the pure state to signals, timers and activities. Two rules prevent lost signals
// (measured): handlers are synchronous, and nothing is awaited between the last check of the state and return or
// continue-as-new.
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
import { ofAgent } from '../session-ref.ts';
import { prepareAgent } from './activities.ts';
import { reviewBudget } from './budget/spending.ts';
import { allStarted, hasBusyChildren } from './children/children.ts';
import { shutDown } from './ending.ts';
import { awaitsFlight, endFlight, startFlight } from './flight.ts';
import { registerHandlers } from './handlers.ts';
import { carriedState, migrate } from './migrate.ts';
import { startOutboxes } from './outboxes.ts';
import { startPublisher } from './publisher.ts';
import type { Publisher } from './publisher.ts';
import type { AgentState, EndRequest } from './state.ts';
import { enterPhase, initialState, requestEnd, sessionInput, takeSession } from './transitions.ts';
import type { Verdict } from './turn/completion.ts';
import { runAssessment, runTurnToCompletion } from './turn/run.ts';
import { beginTurn, canStart } from './turn/turn.ts';
import { showState } from './visibility.ts';

/** Turns in one run: at some 15 events each, well below the history limit of 51,200 events. */
const TURNS_PER_RUN = 200;
/** Signals in one run. Temporal refuses the 10,001st, and a long turn must leave room for many more. */
const SIGNALS_PER_RUN = 1_000;
/** Events in one run: replaying more takes seconds. */
const EVENTS_PER_RUN = 5_000;

/**
 * The largest state that is carried over. A payload may have 2 MB, and a larger one fails the workflow. Only a flood of
 * long messages comes near; it is processed first. The outbox is extra: at most 500 events of some 600 bytes.
 */
const CARRIED_BYTES_LIMIT = 1_200_000;

/**
 * One agent, from its spawn to its end.
 * @param spec what was decided at spawn
 * @param carried the state of the previous run, when the workflow continues as new
 */
export async function agent(spec: AgentSpec, carried?: AgentState): Promise<AgentResult> {
  const state = carried === undefined ? initialState(spec, new Date().toISOString()) : migrate(carried, spec);
  registerHandlers(state, spec);
  // A cancellation in Temporal's Web UI means kill. The work of a kill must not be cancelled itself.
  void CancellationScope.current().cancelRequested.catch(() => {
    requestEnd(state, { how: 'kill', by: 'operator', reason: 'canceled in Temporal' });
  });
  // Only for a pilot: an await, even of nothing, changes the order of commands in the replay of other agents.
  if (carried === undefined && spec.flight !== undefined) {
    await CancellationScope.nonCancellable(() => startFlight(spec));
  }
  return await CancellationScope.nonCancellable(() => {
    const signals = startOutboxes(state, spec);
    return runLoop(state, spec, startPublisher(state, spec, signals), signals);
  });
}

/** The main loop: prepares the machine, runs turns while input waits, rests, continues as new, and ends. */
async function runLoop(
  state: AgentState,
  spec: AgentSpec,
  publisher: Publisher,
  signals: SignalOutbox,
): Promise<AgentResult> {
  for (;;) {
    if (state.end === undefined && state.vm?.state !== 'running') await prepare(state, spec, publisher);
    if (state.end !== undefined) return await end(state, spec, state.end, signals);
    reviewBudget(state, spec, new Date().toISOString());
    if (mustContinueAsNew(spec, state)) await continueAsNewWhenQuiet(state, spec, signals);
    else if (canStart(state, Date.now())) await takeTurn(state, spec, publisher);
    else await idle(state, spec);
  }
}

/** Creates the machine and the workspace. A kill or stop that arrives meanwhile cancels it. */
async function prepare(state: AgentState, spec: AgentSpec, publisher: Publisher): Promise<void> {
  showState(state, spec);
  const events = publisher.offer();
  const scope = new CancellationScope({ cancellable: true });
  const made = scope.run(() =>
    prepareAgent(
      { ...ofAgent(spec), events, ...sessionInput(state) },
      state.turns === 0 ? 'machine and workspace' : 'new machine',
    ),
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
        requestEnd(state, { how: 'fail', by: 'murmur', reason: problem.message });
      },
    )
    .finally(() => (settled = true));
  await condition(() => settled || state.end !== undefined);
  if (!settled) {
    scope.cancel();
    // Wait until the activity has noticed: a machine that it still creates would outlive the agent. Temporal times out
    // a dead worker's attempt at its heartbeat timeout; the bound is for a worker that does not come back.
    await condition(() => settled, '15s');
    if (!settled) return;
  }
  await result;
}

/** Runs one turn and the assessment that may follow it, and applies the verdict. */
async function takeTurn(state: AgentState, spec: AgentSpec, publisher: Publisher): Promise<void> {
  const turn = beginTurn(state, spec, uuid4(), new Date().toISOString());
  showState(state, spec);
  const verdict = await runTurnToCompletion(state, spec, turn, publisher.offer());
  applyVerdict(state, spec, verdict?.next === 'assess' ? await assess(state, spec) : verdict);
}

/** Runs the assessment, unless the agent is to end. */
async function assess(state: AgentState, spec: AgentSpec): Promise<Verdict | undefined> {
  if (state.end !== undefined) return undefined;
  showState(state, spec);
  return await runAssessment(state, spec);
}

/** Changes the phase according to the verdict. A requested end takes precedence. */
function applyVerdict(state: AgentState, spec: AgentSpec, verdict: Verdict | undefined): void {
  if (verdict === undefined || verdict.next === 'assess' || verdict.next === 'continue' || state.end !== undefined)
    return;
  if (verdict.next === 'fail') {
    requestEnd(state, { how: 'fail', by: 'murmur', reason: verdict.reason });
    return;
  }
  const now = new Date().toISOString();
  if (verdict.complete) enterPhase(state, 'task-complete', now);
  // Children still report to this agent. The last one wakes it, and then it ends.
  if (verdict.complete && spec.on_idle === 'terminate' && !hasBusyChildren(state) && !awaitsFlight(state, spec)) {
    requestEnd(state, { how: 'terminate', by: 'murmur', reason: undefined });
    return;
  }
  enterPhase(state, 'idle', now, verdict.reason, verdict.code);
}

/** Idles until a message arrives, the end is requested, or a parked agent may retry. */
async function idle(state: AgentState, spec: AgentSpec): Promise<void> {
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

/** Ends the flight, if the agent pilots one, and then the agent. */
async function end(
  state: AgentState,
  spec: AgentSpec,
  request: EndRequest,
  signals: SignalOutbox,
): Promise<AgentResult> {
  if (spec.flight !== undefined) await endFlight(spec);
  return await shutDown(state, spec, request, signals);
}

/** Continues as new once nothing is pending. Messages that arrive meanwhile are handled first. */
async function continueAsNewWhenQuiet(state: AgentState, spec: AgentSpec, signals: SignalOutbox): Promise<void> {
  // The next run must know every child that was started.
  const settled = (): boolean => allHandlersFinished() && allStarted(state);
  if (!settled()) await condition(settled);
  if (signals.busy) await signals.drain();
  if (!signals.busy && settled()) await continueAsNew<typeof agent>(spec, carriedState(state));
}

/** Whether this run is long enough to continue as new. Only called while no turn runs. */
function mustContinueAsNew(spec: AgentSpec, state: AgentState): boolean {
  // Without the outbox: a replay may empty it at a different time (publisher.ts).
  const size = (): number => new TextEncoder().encode(JSON.stringify({ ...state, outbox: [] })).length;
  return hasGrown(spec, state) && size() <= CARRIED_BYTES_LIMIT;
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
