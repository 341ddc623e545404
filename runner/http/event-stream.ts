// `GET /events?after=n`: the journal as newline-delimited JSON, kept open.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TurnEndLine, TurnReply } from '../../contract/wire/runner.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { followJournal } from '../journal/follow.ts';
import type { Journal } from '../journal/journal.ts';

const TURN_END = '"turn_complete"';

/** A reason of its own: the default one is an error with a stack, made at the end of each stream. */
const GONE = 'the reader has disconnected';

/** Blank lines let a reader distinguish a quiet runner from a dead connection. */
const KEEP_ALIVE_MS = 1_000;

export interface EventSourceOfRunner {
  readonly journal: Journal;
  /** The turn's reply; undefined while it runs. */
  readonly endOf: (turnId: string) => TurnReply | undefined;
  /** Aborts when no further event follows. */
  readonly closing: AbortSignal;
}

/**
 * Streams events above `after` until the reader disconnects or, once `closing` aborts, has all of them. A slow reader
 * delays only itself. Throws INVALID_ARGUMENT for an `after` that is not a number.
 */
export async function streamEvents(
  request: IncomingMessage,
  response: ServerResponse,
  { journal, endOf, closing }: EventSourceOfRunner,
): Promise<void> {
  const query = new URL(request.url ?? '/', 'http://runner').searchParams;
  const text = query.get('after') ?? '0';
  const turn = query.get('turn');
  if (!/^\d{1,15}$/.test(text)) throw new MurmurError('INVALID_ARGUMENT', `after=${text} is not a sequence number`);
  const gone = new AbortController();
  response.once('close', () => gone.abort(GONE));
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
  // Keep-alives must not accumulate behind data that the reader does not read.
  const keepAlive = setInterval(() => !response.writableNeedDrain && response.write('\n'), KEEP_ALIVE_MS);
  try {
    for await (const lines of followJournal(journal, Number(text), { gone: gone.signal, closing })) {
      // The reply is stored before the event is journaled.
      const end = turn !== null && lines.includes(TURN_END) ? endOf(turn) : undefined;
      if (end !== undefined) response.write(`${JSON.stringify({ reply: end } satisfies TurnEndLine)}\n`);
      if (!response.write(lines)) await drained(response, gone.signal);
    }
  } finally {
    clearInterval(keepAlive);
    response.end();
  }
}

async function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => resolve();
  response.once('drain', wake);
  gone.addEventListener('abort', wake);
  if (gone.aborted) resolve();
  await promise;
  response.off('drain', wake);
  gone.removeEventListener('abort', wake);
}
