// Runs one turn or one assessment: the activity, and the interrupts and kills that arrive meanwhile.
import { CancellationScope, condition, uuid4 } from '@temporalio/workflow';
import { MACHINE_LOST } from '../../../contract/wire/activities.ts';
import type { AgentSpec } from '../../../contract/wire/agent.ts';
import type { AssessReply } from '../../../contract/wire/assessment.ts';
import { NO_COST } from '../../../contract/wire/cost.ts';
import type { SourcedEvent } from '../../../contract/wire/events.ts';
import type { TurnNotice, TurnOutcome } from '../../../contract/wire/turns.ts';
import { activityProblem } from '../../failure.ts';
import { ofAgent } from '../../session-ref.ts';
import { assess, interruptTurn, noticeTurn, runTurn } from '../activities.ts';
import { chargeReported, firstReport, noticeForTurn, reviewBudget } from '../budget/spending.ts';
import type { AgentState, CurrentTurn } from '../state.ts';
import { recordEvent } from '../timeline.ts';
import { enterPhase, sessionInput } from '../transitions.ts';
import { assessmentInput, beginAssessment, endAssessment } from './completion.ts';
import type { Verdict } from './completion.ts';
import { endTurn, endLostTurn } from './turn.ts';

/** How long a killed agent's turn may take to end after the interrupt, including the snapshot of a large work tree. */
const INTERRUPTED_TURN_TIMEOUT = '20s';
/** How long the activity may take to notice its cancellation: two heartbeats, or a dead worker's heartbeat timeout. */
const CANCELED_TURN_TIMEOUT = '10s';

/**
 * Runs the turn and applies its outcome. Returns undefined if the agent was killed before the turn ended.
 * @param events lifecycle events to publish before the turn starts
 */
export async function runTurnToCompletion(
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
        { ...ofAgent(spec), turn_id, number, inputs, events, ...sessionInput(state), ...firstReport(state) },
        `turn ${number}`,
      ),
    )
    .then(
      (outcome) => (ended = { outcome }),
      (error: unknown) => (ended = { error }),
    );
  const killed = (): boolean => state.end?.how === 'kill';

  let isInterruptSent = false;
  let sentNotice: string | undefined;
  const unsentNotice = (): TurnNotice | undefined => {
    const notice = noticeForTurn(state);
    return notice?.id === sentNotice ? undefined : notice;
  };
  while (ended === undefined && !killed()) {
    await condition(
      () =>
        ended !== undefined ||
        killed() ||
        (!isInterruptSent && turn.interrupted_by !== undefined) ||
        unsentNotice() !== undefined,
    );
    const notice = unsentNotice();
    if (ended === undefined && notice !== undefined) {
      sentNotice = notice.id;
      void sendNotice(spec, turn, notice);
    }
    if (ended === undefined && !isInterruptSent && turn.interrupted_by !== undefined) {
      isInterruptSent = true;
      void sendInterrupt(state, spec, turn).then((isAccepted) => {
        if (isAccepted) return;
        // The next interrupt retries.
        isInterruptSent = false;
        turn.interrupted_by = undefined;
      });
    }
  }
  if (ended === undefined) {
    if (!isInterruptSent) void sendInterrupt(state, spec, turn);
    if (!(await condition(() => ended !== undefined, INTERRUPTED_TURN_TIMEOUT))) {
      scope.cancel();
      await condition(() => ended !== undefined, CANCELED_TURN_TIMEOUT);
    }
  }
  return applyTurnEnd(state, spec, turn, ended);
}

/** Delivers a notice. The turn's outcome says whether the model read it; if not, the next turn gets it. */
async function sendNotice(spec: AgentSpec, turn: CurrentTurn, notice: TurnNotice): Promise<void> {
  try {
    await noticeTurn({ ...ofAgent(spec), turn_id: turn.id, notice }, `notice for turn ${turn.number}`);
  } catch (error) {
    if (activityProblem(error) === undefined) throw error;
  }
}

async function sendInterrupt(state: AgentState, spec: AgentSpec, turn: CurrentTurn): Promise<boolean> {
  try {
    await interruptTurn({ ...ofAgent(spec), turn_id: turn.id }, `interrupt turn ${turn.number}`);
    return true;
  } catch (error) {
    const problem = activityProblem(error);
    if (problem === undefined) throw error;
    const text = `turn ${turn.number} could not be interrupted: ${problem.message}`;
    recordEvent(state, { type: 'note', text }, new Date().toISOString());
    return false;
  }
}

function applyTurnEnd(
  state: AgentState,
  spec: AgentSpec,
  turn: CurrentTurn,
  ended: { readonly outcome: TurnOutcome } | { readonly error: unknown } | undefined,
): Verdict | undefined {
  if (ended === undefined) {
    chargeReported(state);
    return undefined;
  }
  const clock = { nowMs: Date.now(), chance: Math.random() };
  if ('outcome' in ended) return endTurn(state, spec, ended.outcome, clock);
  const problem = activityProblem(ended.error);
  if (problem === undefined) throw ended.error;
  // The kill stopped waiting and cancelled the turn: its outcome no longer matters.
  if (state.end?.how === 'kill') {
    chargeReported(state);
    return undefined;
  }
  if (problem.type === MACHINE_LOST) {
    const now = new Date(clock.nowMs).toISOString();
    if (state.vm !== undefined) state.vm = { ...state.vm, state: 'gone' };
    enterPhase(state, 'running', now, 'the machine was lost: a new one is made');
    return endLostTurn(state, now);
  }
  chargeReported(state);
  return endTurn(state, spec, failedTurn(turn, problem.message), clock);
}

/** The outcome of a turn that failed with a non-retryable error: the agent parks, as after a model error. */
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

/** How long an assessment may take to end after the interrupt: the program ends within seconds. */
const INTERRUPTED_ASSESSMENT_TIMEOUT = '20s';
/** How long the activity may take to notice its cancellation: two heartbeats, or a dead worker's heartbeat timeout. */
const CANCELED_ASSESSMENT_TIMEOUT = '10s';

/** Runs an assessment and applies its verdict. Returns undefined if the agent is to end. */
export async function runAssessment(state: AgentState, spec: AgentSpec): Promise<Verdict | undefined> {
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
  const mustInterrupt = (): boolean => state.end?.how === 'kill' || assessment.interrupted_by !== undefined;
  await condition(() => reply !== undefined || mustInterrupt());
  if (reply === undefined) {
    void interruptTurn({ ...ofAgent(spec), turn_id: id }, `interrupt assessment ${number}`).catch(() => undefined);
    if (!(await condition(() => reply !== undefined, INTERRUPTED_ASSESSMENT_TIMEOUT))) {
      scope.cancel();
      await condition(() => reply !== undefined, CANCELED_ASSESSMENT_TIMEOUT);
    }
  }
  const now = new Date().toISOString();
  const verdict = endAssessment(state, reply ?? { status: 'interrupted', cost: NO_COST }, now);
  reviewBudget(state, spec, now);
  return state.end === undefined ? verdict : undefined;
}

/**
 * Names a failed assessment's problem. Even a defect is only noted, because the agent's work is done: the agent idles.
 */
function problemOf(error: unknown): string {
  return activityProblem(error)?.message ?? String(error);
}
