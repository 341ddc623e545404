// One assessment: the activity, and the interrupts and kills that come while it runs.
import { CancellationScope, condition, uuid4 } from '@temporalio/workflow';
import type { AgentSpec } from '../../../contract/wire/agent.ts';
import type { AssessReply } from '../../../contract/wire/assessment.ts';
import { assess, interruptTurn } from '../activities.ts';
import { assessmentInput, beginAssessment, endAssessment } from './assessment.ts';
import { NO_COST } from '../../../contract/wire/cost.ts';
import { activityProblem } from '../../failure.ts';
import { reviewBudget } from '../budget/spending.ts';
import type { AgentState } from '../state.ts';
import type { Verdict } from './turn.ts';

/** How long an assessment may take to end by the interrupt: the program ends within seconds. */
const INTERRUPTED_ENDS = '20s';
/** How long the activity may take to see its cancellation: two heartbeats, and the time of a dead worker's. */
const CANCELED_ENDS = '10s';

/** Asks the assessor and takes its verdict into the state. Undefined when the agent is to end. */
export async function assessToItsEnd(state: AgentState, spec: AgentSpec): Promise<Verdict | undefined> {
  const assessment = beginAssessment(state, uuid4());
  const { id, number } = assessment;
  const short = { ...spec, prompt: { text: '' } };
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
    void interruptTurn({ spec: short, turn_id: id }, `interrupt assessment ${number}`).catch(() => undefined);
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
