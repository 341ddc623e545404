// One turn or one assessment on the machine: the activity, and the interrupts and kills that come while it runs.
import { CancellationScope, condition, uuid4 } from '@temporalio/workflow';
import { MACHINE_LOST } from '../../../contract/wire/activities.ts';
import type { AgentSpec } from '../../../contract/wire/agent.ts';
import type { AssessReply } from '../../../contract/wire/assessment.ts';
import { NO_COST } from '../../../contract/wire/cost.ts';
import type { SourcedEvent } from '../../../contract/wire/events.ts';
import type { TurnNotice, TurnOutcome } from '../../../contract/wire/turns.ts';
import { activityProblem } from '../../failure.ts';
import { assess, interruptTurn, noticeTurn, runTurn } from '../activities.ts';
import { countReported, firstReport, noticeForTurn, reviewBudget } from '../budget/spending.ts';
import type { AgentState, CurrentTurn } from '../state.ts';
import { recordEvent } from '../timeline.ts';
import { enterPhase, sessionInput } from '../transitions.ts';
import { assessmentInput, beginAssessment, endAssessment } from './completion.ts';
import type { Verdict } from './completion.ts';
import { endTurn, loseTurn } from './turn.ts';

/** How long a killed agent's turn may take to end by the interrupt; a snapshot of a large work tree is part of it. */
const INTERRUPTED_TURN_ENDS = '20s';
/** How long the activity may take to see its cancellation: two heartbeats, and the time of a dead worker's. */
const CANCELED_TURN_ENDS = '10s';

/**
 * Runs the turn and takes its end into the state. Undefined when a kill could not wait for it.
 * @param events lifecycle events to be written before it starts
 */
export async function runTurnToItsEnd(
  state: AgentState,
  spec: AgentSpec,
  turn: CurrentTurn,
  events: readonly SourcedEvent[],
): Promise<Verdict | undefined> {
  let ended: { readonly outcome: TurnOutcome } | { readonly error: unknown } | undefined;
  const scope = new CancellationScope({ cancellable: true });
  const { id: turn_id, number, inputs } = turn;
  void scope
    .run(() =>
      runTurn(
        { spec: turnSpec(spec), turn_id, number, inputs, events, ...sessionInput(state), ...firstReport(state) },
        `turn ${number}`,
      ),
    )
    .then(
      (outcome) => (ended = { outcome }),
      (error: unknown) => (ended = { error }),
    );
  const killed = (): boolean => state.end?.how === 'kill';

  let asked = false;
  let told: string | undefined;
  const news = (): TurnNotice | undefined => {
    const notice = noticeForTurn(state);
    return notice?.id === told ? undefined : notice;
  };
  while (ended === undefined && !killed()) {
    await condition(
      () => ended !== undefined || killed() || (!asked && turn.interrupted_by !== undefined) || news() !== undefined,
    );
    const notice = news();
    if (ended === undefined && notice !== undefined) {
      told = notice.id;
      void tellTurn(spec, turn, notice);
    }
    if (ended === undefined && !asked && turn.interrupted_by !== undefined) {
      asked = true;
      void askForItsEnd(state, spec, turn).then((taken) => {
        if (taken) return;
        // The next interrupt tries again.
        asked = false;
        turn.interrupted_by = undefined;
      });
    }
  }
  if (ended === undefined) {
    if (!asked) void askForItsEnd(state, spec, turn);
    if (!(await condition(() => ended !== undefined, INTERRUPTED_TURN_ENDS))) {
      scope.cancel();
      await condition(() => ended !== undefined, CANCELED_TURN_ENDS);
    }
  }
  return takeEnd(state, spec, turn, ended);
}

/** Whether the model has read it, the turn's outcome says; one that could not be brought goes with the next turn. */
async function tellTurn(spec: AgentSpec, turn: CurrentTurn, notice: TurnNotice): Promise<void> {
  try {
    await noticeTurn({ spec: turnSpec(spec), turn_id: turn.id, notice }, `notice for turn ${turn.number}`);
  } catch (error) {
    if (activityProblem(error) === undefined) throw error;
  }
}

async function askForItsEnd(state: AgentState, spec: AgentSpec, turn: CurrentTurn): Promise<boolean> {
  try {
    await interruptTurn({ spec: turnSpec(spec), turn_id: turn.id }, `interrupt turn ${turn.number}`);
    return true;
  } catch (error) {
    const problem = activityProblem(error);
    if (problem === undefined) throw error;
    const text = `turn ${turn.number} could not be interrupted: ${problem.message}`;
    recordEvent(state, { type: 'note', text }, new Date().toISOString());
    return false;
  }
}

function takeEnd(
  state: AgentState,
  spec: AgentSpec,
  turn: CurrentTurn,
  ended: { readonly outcome: TurnOutcome } | { readonly error: unknown } | undefined,
): Verdict | undefined {
  if (ended === undefined) {
    countReported(state);
    return undefined;
  }
  const clock = { nowMs: Date.now(), chance: Math.random() };
  if ('outcome' in ended) return endTurn(state, spec, ended.outcome, clock);
  const problem = activityProblem(ended.error);
  if (problem === undefined) throw ended.error;
  // A kill gave up waiting and has canceled it: how it would have ended no longer matters.
  if (state.end?.how === 'kill') {
    countReported(state);
    return undefined;
  }
  if (problem.type === MACHINE_LOST) {
    const now = new Date(clock.nowMs).toISOString();
    if (state.vm !== undefined) state.vm = { ...state.vm, state: 'gone' };
    enterPhase(state, 'running', now, 'the machine was lost: a new one is made');
    return loseTurn(state, now);
  }
  countReported(state);
  return endTurn(state, spec, failedTurn(turn, problem.message), clock);
}

/** The turn could not be run, by an error that trying again does not mend: the agent parks, as after a model error. */
function failedTurn(turn: CurrentTurn, message: string): TurnOutcome {
  return {
    turn_id: turn.id,
    status: 'api_error',
    response: '',
    error: { kind: 'program', message, action: 'mend it, then send a follow-up', retryable: false },
    cost: { usd: 0, by_model: {} },
    files_modified: [],
    commits: [],
    pushes: [],
    branches: [],
  };
}

/** The prompt is among the inputs of the first turn: in each turn's spec it would only fill the history. */
function turnSpec(spec: AgentSpec): AgentSpec {
  return { ...spec, prompt: { text: '' } };
}

/** How long an assessment may take to end by the interrupt: the program ends within seconds. */
const INTERRUPTED_ENDS = '20s';
/** How long the activity may take to see its cancellation: two heartbeats, and the time of a dead worker's. */
const CANCELED_ENDS = '10s';

/** Asks the assessor and takes its verdict into the state. Undefined when the agent is to end. */
export async function assessToItsEnd(state: AgentState, spec: AgentSpec): Promise<Verdict | undefined> {
  const assessment = beginAssessment(state, uuid4());
  const { id, number } = assessment;
  let reply: AssessReply | undefined;
  const scope = new CancellationScope({ cancellable: true });
  void scope
    .run(() => assess(assessmentInput(state, spec, assessment), `assessment ${number}`))
    .then(
      (given) => (reply = given),
      (error: unknown) => (reply = { status: 'not_assessed', problem: problemOf(error), cost: NO_COST }),
    );
  const unwanted = (): boolean => state.end?.how === 'kill' || assessment.interrupted_by !== undefined;
  await condition(() => reply !== undefined || unwanted());
  if (reply === undefined) {
    void interruptTurn({ spec: turnSpec(spec), turn_id: id }, `interrupt assessment ${number}`).catch(() => undefined);
    if (!(await condition(() => reply !== undefined, INTERRUPTED_ENDS))) {
      scope.cancel();
      await condition(() => reply !== undefined, CANCELED_ENDS);
    }
  }
  const now = new Date().toISOString();
  const verdict = endAssessment(state, reply ?? { status: 'interrupted', cost: NO_COST }, now);
  reviewBudget(state, spec, now);
  return state.end === undefined ? verdict : undefined;
}

/** A defect must not look like a result, but the work is done: it is said, and the agent idles. */
function problemOf(error: unknown): string {
  return activityProblem(error)?.message ?? String(error);
}
