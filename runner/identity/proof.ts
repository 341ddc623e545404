// How a runner proves that it knows the caller's token before it is sent anything: once a runner is gone, any process can
// listen on its port. Built-ins only; the runner imports it as well.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Duplex } from 'node:stream';

/** `GET /proof?nonce=<32 hex digits>`, without a token; the answer is the proof alone. */
export const PROOF_PATH = '/proof';

/** The runner answers from memory; one that is frozen must not hold a call without a limit of its own. */
const PROOF_LIMIT_MS = 8_000;
/** The runner's answer has some 200 bytes. */
const LONGEST_ANSWER = 2_048;
const DIGITS = 64;
const IS_PROOF = /^HTTP\/1\.1 200 [^]*\r\ncontent-length: 64(?:\r\n|$)/i;

/** A process that listens on a port of 127.0.0.1, and the token that it and its callers know. */
export interface ProvenAccess {
  readonly port: number;
  readonly token: string;
}

/**
 * The proof for a nonce, or undefined for a nonce that no caller sends. It names the port: nobody can obtain the proof for
 * one port by asking the process that listens on another.
 */
export function runnerProof({ port, token }: ProvenAccess, nonce: string): string | undefined {
  if (token === '' || !/^[0-9a-f]{32}$/.test(nonce)) return undefined;
  return createHmac('sha256', token)
    .update(`runner proof ${String(port)} ${nonce}`)
    .digest('hex');
}

/**
 * Whether the other end of the connection proves that it knows the token. The connection can be used for a request then.
 * Rejects when it closes, takes too long, or the signal aborts.
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

/** The answer's body; undefined when it is no proof. Leaves the connection flowing, for the next who listens to it. */
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
