// The events of an agent as a viewer gets them, each with the moment of its arrival. Imports eventsource-parser,
// contract/wire, the clock and the stack.
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { SessionEvent } from '../../contract/wire/events.ts';
import { now } from '../clock.ts';
import type { Stack } from './stack.ts';

export interface Seen {
  readonly id: string;
  /** When it happened, by its own account: ISO 8601. */
  readonly at: string;
  readonly event: SessionEvent;
  /** When it reached us. */
  readonly arrived: number;
}

export interface Session {
  /** Everything so far, in order of arrival. */
  readonly seen: readonly Seen[];
  /** The first event, past or to come, that fits. Never resolves once the stream has ended. */
  first(fits: (seen: Seen) => boolean): Promise<Seen>;
  close(): Promise<void>;
}

/** Follows `session watch` from the beginning. Resolves when the stream is open. */
export async function followSession(stack: Stack, slug: string): Promise<Session> {
  const abort = new AbortController();
  const seen: Seen[] = [];
  const waiting = new Set<(entry: Seen) => void>();
  const body = await stack.stream('session_watch', { slug }, abort.signal);
  const reading = (async () => {
    const messages = body
      .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
      .pipeThrough(new EventSourceParserStream());
    for await (const { data } of messages) {
      const entry: Seen = { ...(JSON.parse(data) as Omit<Seen, 'arrived'>), arrived: now() };
      if (entry.event === undefined) continue;
      seen.push(entry);
      for (const wake of [...waiting]) wake(entry);
    }
  })().catch(() => undefined);
  return {
    seen,
    first: (fits) =>
      new Promise((resolve) => {
        const past = seen.find(fits);
        if (past !== undefined) return resolve(past);
        const wake = (entry: Seen): void => {
          if (!fits(entry)) return;
          waiting.delete(wake);
          resolve(entry);
        };
        waiting.add(wake);
      }),
    close: async () => {
      abort.abort();
      await reading;
    },
  };
}
