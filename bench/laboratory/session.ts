// The events of an agent as a viewer receives them, with their times of arrival. Imports the contract, the clock, the
// model and the stack.
import type { Operations } from '../../contract/operations/index.ts';
import type { OutputOf } from '../../contract/operation.ts';
import { now } from '../clock.ts';
import type { Prompt } from './model.ts';
import type { Stack } from './stack.ts';

export type Seen = OutputOf<Operations['session_watch']> & {
  /** Time of arrival. */
  readonly arrived: number;
};

export interface Session {
  /** All events so far, in order of arrival. */
  readonly seen: readonly Seen[];
  /** Resolves with the first matching event, past or future. Never resolves after the stream has ended. */
  first(fits: (seen: Seen) => boolean): Promise<Seen>;
  /** Waits for the end of the turn that this prompt started. Resolves with all its events. */
  turn(prompt: Prompt): Promise<readonly Seen[]>;
  close(): Promise<void>;
}

/** Follows `session watch` from the first event, across restarts of the server. */
export function followSession(stack: Stack, slug: string): Session {
  const abort = new AbortController();
  const seen: Seen[] = [];
  const waiting = new Set<(entry: Seen) => void>();
  const reading = (async () => {
    for await (const entry of stack.client.stream('session_watch', { slug, from: '0' }, { signal: abort.signal })) {
      const arrived = { ...entry, arrived: now() };
      seen.push(arrived);
      for (const wake of [...waiting]) wake(arrived);
    }
  })().catch(() => undefined);
  const first: Session['first'] = (fits) =>
    new Promise((resolve) => {
      const past = seen.find(fits);
      if (past !== undefined) return resolve(past);
      const wake = (entry: Seen): void => {
        if (!fits(entry)) return;
        waiting.delete(wake);
        resolve(entry);
      };
      waiting.add(wake);
    });
  return {
    seen,
    first,
    turn: async ({ word }) => {
      const start = await first(({ event }) => event.type === 'turn_start' && wordIn(event.inputs, word));
      const id = start.event.type === 'turn_start' ? start.event.turn_id : '';
      const end = await first(({ event }) => event.type === 'turn_complete' && event.turn_id === id);
      return seen.slice(seen.indexOf(start), seen.indexOf(end) + 1);
    },
    close: async () => {
      abort.abort();
      await reading;
    },
  };
}

function wordIn(inputs: readonly { readonly text: string }[], word: string): boolean {
  return inputs.some(({ text }) => text.includes(word));
}
