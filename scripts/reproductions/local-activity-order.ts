// With queries in the same workflow tasks, a replay sees the result of a local activity earlier than the workflow saw
// it, before signals that had come first (ADR 4).
import { setTimeout as delay } from 'node:timers/promises';
import { runAsScript } from './script.ts';
import type { Reproduction } from './replay-check.ts';

/** Local activities of one execution, one after the other, and the signals that are sent while each runs. */
const WRITES = 10;
const NOTES = 8;

/** Between two signals: they arrive before, while and after the local activity of 15 ms ends. */
const BETWEEN_MS = 3;

export const LOCAL_ACTIVITY_ORDER: Reproduction = {
  workflow: 'localActivityOrder',
  load: async (handle) => {
    for (let write = 0; write < WRITES; write += 1) {
      await handle.signal('write');
      for (let note = 0; note < NOTES; note += 1) {
        await delay(BETWEEN_MS);
        await handle.signal('note');
      }
    }
  },
};

if (import.meta.main) await runAsScript(LOCAL_ACTIVITY_ORDER);
