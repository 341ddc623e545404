// A runner proves that it knows the caller's token before the caller sends anything: after a runner has ended, any
// process can listen on its port. Built-ins only; the runner imports it too.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Duplex } from 'node:stream';

/** `GET /proof?nonce=<32 hex digits>`, without a token; the answer is the proof alone. */
export const PROOF_PATH = '/proof';

/** The runner answers from memory. A frozen runner must not block calls that have no time limit. */
const PROOF_LIMIT_MS = 8_000;
/** Limit of the answer in bytes; a runner's has some 200. */
const LONGEST_ANSWER = 2_048;
const DIGITS = 64;
const IS_PROOF = /^HTTP\/1\.1 200 [^]*\r\ncontent-length: 64(?:\r\n|$)/i;

/** The loopback port of a process, and the token that it shares with its callers. */
export interface ProvenAccess {
  readonly port: number;
  readonly token: string;
}

/**
 * The proof for a nonce; undefined for a malformed nonce. It includes the port, so that a process cannot relay the
 * proof of a runner on another port.
 */
export function runnerProof({ port, token }: ProvenAccess, nonce: string): string | undefined {
  if (token === '' || !/^[0-9a-f]{32}$/.test(nonce)) return undefined;
  return createHmac('sha256', token)
    .update(`runner proof ${String(port)} ${nonce}`)
    .digest('hex');
}

/**
 * Whether the other end of the connection proves that it knows the token. If so, the connection can be used for a
 * request. Rejects when the connection closes, the proof takes too long, or the signal aborts.
 */
export async function proves(connection: Duplex, access: ProvenAccess, signal: AbortSignal): Promise<boolean> {
  const nonce = randomBytes(16).toString('hex');
  const expected = runnerProof(access, nonce);
  if (expected === undefined) return false;
  const answer = answerOn(connection, signal);
  connection.write(`GET ${PROOF_PATH}?nonce=${nonce} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  const given = Buffer.from((await answer) ?? '');
  return given.length === expected.length && timingSafeEqual(given, Buffer.from(expected));
}

/** The answer's body; undefined when it is not a proof. Leaves the connection in flowing mode for its next user. */
async function answerOn(connection: Duplex, signal: AbortSignal): Promise<string | undefined> {
  const { promise, reject, resolve } = Promise.withResolvers<string | undefined>();
  let text = '';
  const onData = (piece: Buffer): void => {
    text += piece.toString('latin1');
    const head = text.indexOf('\r\n\r\n');
    if (head === -1 && text.length <= LONGEST_ANSWER) return;
    const body = text.slice(head + 4);
    if (!IS_PROOF.test(text.slice(0, Math.max(head, 0))) || body.length > DIGITS) resolve(undefined);
    else if (body.length === DIGITS) resolve(body);
  };
  const onEnd = (): void => reject(new Error('the connection ended before the proof'));
  const onLate = (): void => reject(new Error('the proof did not come in time'));
  const timer = setTimeout(onLate, PROOF_LIMIT_MS);
  signal.addEventListener('abort', onLate);
  connection.on('data', onData).on('error', reject).on('end', onEnd).on('close', onEnd);
  try {
    signal.throwIfAborted();
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onLate);
    connection.off('data', onData).off('error', reject).off('end', onEnd).off('close', onEnd);
  }
}
