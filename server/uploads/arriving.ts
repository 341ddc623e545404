// Reads the body of an upload, with limits of size and time.
import type { IncomingMessage } from 'node:http';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { Timing } from '../timing.ts';
import { unlessRevoked } from '../token-watch.ts';

/**
 * The pieces of a body. Throws INVALID_ARGUMENT as soon as the body exceeds the limit, UNAVAILABLE when the sender
 * stalls, takes too long or disconnects, and the reason of `revoked` when it aborts. Keeps the connection open for the
 * answer.
 */
export async function* arriving(
  request: IncomingMessage,
  limit: number,
  timing: Pick<Timing, 'uploadSilence' | 'uploadArrival'>,
  revoked: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw uploadTooLarge(limit);
  const late = (): void => void request.destroy(new Error('the sender is too slow'));
  const silence = setTimeout(late, timing.uploadSilence);
  const whole = setTimeout(late, timing.uploadArrival);
  let bytes = 0;
  // Otherwise leaving the loop would close the connection before the answer.
  const body = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer, undefined>;
  const pieces = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value: piece } = await unlessRevoked(revoked, pieces.next());
      if (piece === undefined) return;
      silence.refresh();
      bytes += piece.length;
      if (bytes > limit) throw uploadTooLarge(limit);
      yield piece;
    }
  } catch (error) {
    if (error instanceof MurmurError) throw error;
    throw new MurmurError('UNAVAILABLE', 'the upload broke off', { hint: 'send it again', cause: error });
  } finally {
    clearTimeout(silence);
    clearTimeout(whole);
    // Discards the rest of a rejected body. Not awaited: it waits for a piece that may never come.
    pieces.return?.().catch(() => undefined);
  }
}

/** INVALID_ARGUMENT for an upload of more bytes than the limit. */
export function uploadTooLarge(limit: number): MurmurError {
  return new MurmurError('INVALID_ARGUMENT', `the file is larger than ${String(limit / 1_000_000)} MB`, {
    hint: 'upload less, or have the operator raise MURMUR_MAX_UPLOAD_MB',
    details: { limit_bytes: limit },
  });
}
