// Checks the answer of a server on a machine before it is passed on: Node reads answers that it refuses to write.
import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';

/** An answer that can be passed on, or an error answer. */
export type MachineAnswer =
  | { readonly kind: 'answer'; readonly answer: IncomingMessage; readonly reason: string | undefined }
  | Refused;

interface Refused {
  readonly kind: 'refused';
  readonly status: 502 | 504;
  readonly reason: string;
}

/** Final status codes. Node reads any three digits and writes only 100 and above. */
const STATUS = { first: 200, last: 999 } as const;
/** Reason phrases that Node writes. */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Waits for the head of the answer. Never rejects: without an answer, resolves with a refusal.
 * @param limitMs time for the head once the request is sent
 */
export async function answerOf(outgoing: ClientRequest, port: number, limitMs: number): Promise<MachineAnswer> {
  const { promise, resolve } = Promise.withResolvers<MachineAnswer>();
  const noAnswer = refused(502, `What listens on port ${String(port)} gave no HTTP answer.`);
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    timer = setTimeout(() => {
      resolve(refused(504, `What listens on port ${String(port)} gave no answer within ${String(limitMs / 1_000)} s.`));
      outgoing.destroy();
    }, limitMs);
  };
  if (outgoing.writableFinished) wait();
  else outgoing.once('finish', wait);
  outgoing.once('response', (answer) => resolve(checked(answer, port)));
  // Handles all errors: the request may fail again, also after the answer, which ends the pipe.
  outgoing.on('error', () => resolve(noAnswer));
  outgoing.once('close', () => resolve(noAnswer));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    outgoing.off('finish', wait);
  }
}

function checked(answer: IncomingMessage, port: number): MachineAnswer {
  const { statusCode = 0, statusMessage = '' } = answer;
  if (statusCode < STATUS.first || statusCode > STATUS.last) {
    answer.destroy();
    const status = String(statusCode).padStart(3, '0');
    return refused(
      502,
      `What listens on port ${String(port)} answered with the status ${status}, which HTTP does not have.`,
    );
  }
  // An invalid reason phrase is replaced by the default one. No client depends on it.
  return { kind: 'answer', answer, reason: REASON.test(statusMessage) ? statusMessage : undefined };
}

/** The name of a header that Node would refuse to write; undefined when all are valid. */
export function unwritable(headers: OutgoingHttpHeaders): string | undefined {
  return Object.entries(headers).find(([name, value]) => {
    try {
      validateHeaderName(name);
      for (const each of [value ?? ''].flat()) validateHeaderValue(name, String(each));
      return false;
    } catch {
      return true;
    }
  })?.[0];
}

/** The error answer for an invalid header. */
export function badHeader(port: number, name: string): Refused {
  return refused(502, `What listens on port ${String(port)} answered with an invalid header ${JSON.stringify(name)}.`);
}

function refused(status: Refused['status'], reason: string): Refused {
  return { kind: 'refused', status, reason };
}
