// Ties calls and streams to the connection that carries them.
import type { Duplex, Readable } from 'node:stream';
import { MurmurError } from '../../contract/wire/errors.ts';

/** The reason of `Machine.lost`. */
export function connectionLost(name: string, why: string): MurmurError {
  return new MurmurError('UNAVAILABLE', `the connection to machine ${name} is lost: ${why}`);
}

/** The work's outcome, or a rejection with the signal's reason if that aborts first. The work itself goes on. */
export async function unlessLost<T>(lost: AbortSignal, work: Promise<T>): Promise<T> {
  // Nobody waits for it any more once the connection is lost.
  work.catch(() => undefined);
  lost.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onLost = (): void => reject(lost.reason);
  lost.addEventListener('abort', onLost, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    lost.removeEventListener('abort', onLost);
  }
}

/**
 * Destroys the stream with the signal's reason when that aborts. Answers the stream. Its error reaches those who listen, and
 * is not uncaught while nobody does yet.
 */
export function tied<S extends Readable | Duplex>(lost: AbortSignal, stream: S): S {
  stream.on('error', () => undefined);
  const onLost = (): void => void stream.destroy(lost.reason as Error);
  if (lost.aborted) {
    onLost();
    return stream;
  }
  lost.addEventListener('abort', onLost, { once: true });
  stream.once('close', () => lost.removeEventListener('abort', onLost));
  return stream;
}

/** The pieces of the source; throws the signal's reason when that aborts, also while the source is silent. */
export async function* piecesUnlessLost<T>(lost: AbortSignal, source: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let isOver = false;
  try {
    for (;;) {
      const next = await unlessLost(lost, iterator.next());
      if (next.done === true) {
        isOver = true;
        return;
      }
      yield next.value;
    }
  } finally {
    // A source that is silent may never answer.
    if (!isOver) void iterator.return?.()?.catch(() => undefined);
  }
}
