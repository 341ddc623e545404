// Follows the journal: the stored events, then each new one. Both are read from the file, so there are no gaps or
// duplicates.
import { open } from 'node:fs/promises';
import type { SourcedEvent } from '../../contract/wire/events.ts';
import type { Journal } from './journal.ts';

/** Bytes per read: limits the memory for a reader that is far behind. */
const CHUNK = 64 * 1024;
const SEQ = /^\{"seq":(\d+),/;

export interface FollowSignals {
  /** The reader has disconnected: ends at once. */
  readonly gone: AbortSignal;
  /** No further event follows: ends after the last one. */
  readonly closing: AbortSignal;
}

/**
 * Lines (with newline) of the events above `after`, in batches. Reads the next batch when the consumer requests it, so
 * a slow reader needs memory for one batch.
 */
export async function* followJournal(
  journal: Journal,
  after: number,
  { gone, closing }: FollowSignals,
): AsyncGenerator<Buffer> {
  const handle = await open(journal.file, 'r');
  const either = AbortSignal.any([gone, closing]);
  try {
    let position = journal.markBefore(after).offset;
    let isSkipping = true;
    let rest: Buffer = Buffer.alloc(0);
    while (!gone.aborted) {
      if (position >= journal.size) {
        if (closing.aborted) return;
        await nextAppend(journal, position, either);
        continue;
      }
      const chunk = Buffer.alloc(Math.min(CHUNK, journal.size - position));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
      position += bytesRead;
      const data = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      const end = data.lastIndexOf(10) + 1;
      rest = data.subarray(end);
      let batch = data.subarray(0, end);
      if (isSkipping) {
        batch = batch.subarray(startAbove(batch, after));
        isSkipping = batch.length === 0;
      }
      if (batch.length > 0) yield batch;
    }
  } finally {
    await handle.close();
  }
}

/** No further event follows. */
const ENDED: FollowSignals = { gone: new AbortController().signal, closing: AbortSignal.abort() };

/** The stored events above `after`. */
export async function eventsAfter(journal: Journal, after: number): Promise<readonly SourcedEvent[]> {
  const events: SourcedEvent[] = [];
  for await (const lines of followJournal(journal, after, ENDED)) {
    const texts = lines
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
    events.push(...texts.map((line) => JSON.parse(line) as SourcedEvent));
  }
  return events;
}

/** Offset of the first line with a number above `after`, or the length. */
function startAbove(lines: Buffer, after: number): number {
  let start = 0;
  while (start < lines.length) {
    const seq = SEQ.exec(lines.toString('latin1', start, start + 32));
    if (seq !== null && Number(seq[1]) > after) return start;
    start = lines.indexOf(10, start) + 1;
  }
  return start;
}

async function nextAppend(journal: Journal, position: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => resolve();
  const off = journal.onAppend(wake);
  signal.addEventListener('abort', wake);
  // Checks again, because an append may have happened before the subscription.
  if (journal.size > position || signal.aborted) resolve();
  await promise;
  off();
  signal.removeEventListener('abort', wake);
}
