// Reading the journal: what is on file, then each new event as it comes, without a gap or a double, since both come
// from the file.
import { open } from 'node:fs/promises';
import type { SourcedEvent } from '../../contract/wire/events.ts';
import type { Journal } from './journal.ts';

/** Bytes per read: bounds the memory of a reader that is far behind. */
const CHUNK = 64 * 1024;
const SEQ = /^\{"seq":(\d+),/;

export interface FollowSignals {
  /** The reader has gone: ends at once. */
  readonly gone: AbortSignal;
  /** No event follows any more: ends when all have been given. */
  readonly closing: AbortSignal;
}

/**
 * Lines (with their newline) of the events above `after`, in batches. The next batch is read when the consumer asks for
 * it, so a slow reader costs one batch of memory.
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

/** The events above `after` that are on file now. */
export async function eventsAfter(journal: Journal, after: number): Promise<readonly SourcedEvent[]> {
  const signals = { gone: new AbortController().signal, closing: AbortSignal.abort() };
  const events: SourcedEvent[] = [];
  for await (const lines of followJournal(journal, after, signals)) {
    const texts = lines
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
    events.push(...texts.map((line) => JSON.parse(line) as SourcedEvent));
  }
  return events;
}

/** Offset of the first line with a number above `after`; the length when there is none. */
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
  // An append between the caller's check and the subscription would otherwise be missed.
  if (journal.size > position || signal.aborted) resolve();
  await promise;
  off();
  signal.removeEventListener('abort', wake);
}
