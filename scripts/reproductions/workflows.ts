// Workflows that show defects of the pinned Temporal versions. Bundled for the reproductions beside this file only.
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyLocalActivities,
  setHandler,
  sleep,
  upsertMemo,
} from '@temporalio/workflow';
import type { ReproductionActivities } from './replay-check.ts';

const { pause } = proxyLocalActivities<ReproductionActivities>({ startToCloseTimeout: '5s' });

const answer = defineUpdate<number>('answer');
const note = defineSignal('note');
const write = defineSignal('write');
const count = defineQuery<number>('count');

const untilTerminated = (): Promise<void> => condition(() => false);

/** Answers each update in a later workflow task than the one that brought it: after a local activity. */
export async function lateUpdateAnswers(): Promise<void> {
  let answered = 0;
  setHandler(answer, async () => {
    await pause(5);
    answered += 1;
    return answered;
  });
  setHandler(count, () => answered);
  await untilTerminated();
}

/** Issues a command that depends on how many signals came before the result of a local activity. */
export async function localActivityOrder(): Promise<void> {
  let notes = 0;
  setHandler(note, () => {
    notes += 1;
  });
  setHandler(write, async () => {
    await pause(15);
    if (notes % 2 === 0) upsertMemo({ notes });
    else await sleep(1);
  });
  setHandler(count, () => notes);
  await untilTerminated();
}
