// A workflow whose updates are answered later than in the task that brought them can get stuck for good (ADR 25).
import { runAsScript } from './script.ts';
import type { Reproduction } from './replay-check.ts';

/** Updates of one workflow at the same time. */
const UPDATES = 10;

/** An update that Temporal has lost is not answered before its workflow ends. */
const ANSWER_MS = 5_000;

export const LATE_UPDATE_ANSWERS: Reproduction = {
  workflow: 'lateUpdateAnswers',
  load: async (handle) => {
    const updates = Array.from({ length: UPDATES }, () => handle.executeUpdate('answer'));
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ANSWER_MS);
    await Promise.race([Promise.allSettled(updates), promise]);
    clearTimeout(timer);
  },
};

if (import.meta.main) await runAsScript(LATE_UPDATE_ANSWERS);
