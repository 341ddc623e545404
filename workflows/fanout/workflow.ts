// The workflow of one fan-out: starts the agents of a list, at most `max_concurrent` at a time. It completes when the
// last one was started. Handlers are synchronous, and nothing is awaited between the last check of the state and return
// or continue-as-new.
import {
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { FANOUT_QUERY, FANOUT_SIGNALS } from '../../contract/wire/fanout/messages.ts';
import type { FanoutInput, FanoutProgress, FanoutResult, StartOutcome } from '../../contract/wire/fanout/messages.ts';
import { activityProblem } from '../failure.ts';
import { closeFanout, dropPlanned, restingPlanned, startPlanned } from './activities.ts';
import { SIGNAL_HANDLERS } from './signals.ts';
import {
  canStart,
  dropRest,
  endFanout,
  initialState,
  isDone,
  progressOf,
  release,
  resultOf,
  takeBatch,
  takeOutcomes,
} from './state.ts';
import type { FanoutState } from './state.ts';

/** Signals and activities in one run: each costs some events, and a history may have 51,200. */
const STEPS_PER_RUN = 1_000;
/** Records of dropped agents written by one activity. */
const DROP_BATCH = 500;
/**
 * How often agents that hold a slot are checked while others wait: an agent that an operator terminated cannot release
 * its slot.
 */
const RECHECK_INTERVAL = '1m';
/** Waits between attempts while the tree is full: doubled from the first to the longest. */
const FULL_TREE_FIRST_WAIT_MS = 2_000;
const FULL_TREE_LONGEST_WAIT_MS = 60_000;

/**
 * One fan-out, until its last agent was started.
 * @param input where the plan is stored
 * @param carried the state of the previous run, when the workflow continues as new
 */
export async function fanout(input: FanoutInput, carried?: FanoutState): Promise<FanoutResult> {
  const state = carried ?? initialState();
  state.steps = 0;
  for (const name of FANOUT_SIGNALS) {
    setHandler(defineSignal<[unknown]>(name), (payload) => {
      state.signals += 1;
      state.steps += 1;
      SIGNAL_HANDLERS[name](state, payload, input);
    });
  }
  setHandler(defineQuery<FanoutProgress>(FANOUT_QUERY), () => progressOf(state));
  void CancellationScope.current().cancelRequested.catch(() => {
    endFanout(state, { by: 'operator', reason: 'canceled in Temporal' });
  });
  return await CancellationScope.nonCancellable(() => run(state, input));
}

async function run(state: FanoutState, input: FanoutInput): Promise<FanoutResult> {
  for (;;) {
    setCurrentDetails(`${state.next} of ${input.count} agents taken, ${state.busy.length} at work`);
    if (state.end !== undefined) dropRest(state, input.count, state.end.by);
    if (state.drops.length > 0) await writeDrops(state, input);
    else if (hasGrown(state, input)) await continueAsNew<typeof fanout>(input, state);
    else if (canStart(state, input)) await startBatch(state, input);
    else if (isDone(state, input)) {
      await closeFanout({ plan: input.plan });
      return resultOf(state, input);
    } else await waitForSlot(state, input);
  }
}

async function startBatch(state: FanoutState, input: FanoutInput): Promise<void> {
  const indices = takeBatch(state, input);
  state.steps += 1;
  if (indices.length === 0) return;
  takeOutcomes(state, await outcomesOf(input.plan, indices));
  if (state.refusals === 0) return;
  const { signals } = state;
  const pause = Math.min(FULL_TREE_FIRST_WAIT_MS * 2 ** Math.min(state.refusals - 1, 10), FULL_TREE_LONGEST_WAIT_MS);
  await condition(() => state.signals !== signals || state.end !== undefined, pause);
}

async function outcomesOf(plan: string, indices: readonly number[]): Promise<readonly StartOutcome[]> {
  try {
    return await startPlanned({ plan, indices });
  } catch (error) {
    const problem = activityProblem(error);
    if (problem === undefined) throw error;
    return indices.map((index) => ({ index, result: 'failed', message: problem.message }));
  }
}

async function writeDrops(state: FanoutState, { plan }: FanoutInput): Promise<void> {
  const [{ by } = { by: '' }] = state.drops;
  const batch = state.drops.filter((each) => each.by === by).slice(0, DROP_BATCH);
  state.steps += 1;
  const reason = state.end?.reason ?? `killed by ${by}`;
  await dropPlanned({ plan, indices: batch.map(({ index }) => index), by, reason });
  state.drops = state.drops.filter((each) => !batch.includes(each));
}

async function waitForSlot(state: FanoutState, input: FanoutInput): Promise<void> {
  const { signals } = state;
  if (await condition(() => state.signals !== signals || state.end !== undefined, RECHECK_INTERVAL)) return;
  state.steps += 1;
  for (const index of await restingPlanned({ plan: input.plan, indices: state.busy })) release(state, index);
}

function hasGrown(state: FanoutState, { limits }: FanoutInput): boolean {
  return state.steps >= (limits?.continue_after_steps ?? STEPS_PER_RUN) || workflowInfo().continueAsNewSuggested;
}
