// Ties calls and streams to the connection that carries them.
import type { Duplex, Readable } from 'node:stream';
import { MurmurError } from '../../contract/wire/errors.ts';

/** The reason of `Machine.lost`. */
export function connectionLost(name: string, why: string): MurmurError {
  return new MurmurError('UNAVAILABLE', `the connection to machine ${name} is lost: ${why}`);
}

/** The work's outcome, or a rejection with the signal's reason if it aborts first. The work itself continues. */
export async function unlessLost<T>(lost: AbortSignal, work: Promise<T>): Promise<T> {
  // After the loss, the work's rejection has no other handler.
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
 * Destroys the stream with the signal's reason when the signal aborts. Returns the stream. Its error reaches
 * listeners. Without listeners it is ignored instead of ending the process.
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

/** The pieces of the source. Throws the signal's reason when it aborts, also while the source yields nothing. */
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
    // Not awaited: the source may never settle.
    if (!isOver) void iterator.return?.()?.catch(() => undefined);
  }
}
