// Limits the bytes of requests in memory, per caller and in total. A request counts with its announced length from
// before its body is read until its answer ends.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MurmurError } from '../contract/wire/errors.ts';
import type { TokenEntry } from '../contract/wire/tokens.ts';
import { bearerOf } from './caller.ts';

const MB = 1024 * 1024;

/** Memory of a call besides its body: head, parser and handler. So the number of concurrent calls is limited too. */
const CALL_BYTES = 16 * 1024;

/**
 * Requests up to this size count only against the caller's own limit, so that several callers cannot lock out others.
 */
const SMALL_BYTES = 64 * 1024;

/**
 * An agent sends prompts of some kilobytes. Two of the largest bodies, or a thousand calls, are far more than it needs.
 * A person's programs may start many agents with large prompts at once.
 */
const OWN_BYTES = { agent: 16 * MB, person: 64 * MB } as const;

/** Parsing takes up to three times a body's size, so both kinds of callers together stay below a gigabyte. */
const ALL_BYTES = { agent: 128 * MB, person: 128 * MB } as const;

/** On loopback, the largest body arrives within this time. */
const RETRY_MS = 1_000;

/** Limits the requests of all routes of the app. `addIdentity` must come first. `bodyLimit` is the largest body. */
export function addHeldBodies(app: FastifyInstance, bodyLimit: number): void {
  const pools = { agent: new Pool('agent'), person: new Pool('person') };
  const unknown = new WeakMap<FastifyRequest, { readonly hold: Hold; readonly readBefore: number }>();
  app.addHook('onRequest', async (request, { raw: answer }) => {
    const { headers, raw } = request;
    const isChunked = headers['transfer-encoding'] !== undefined;
    const body = isChunked ? bodyLimit : Math.min(Number(headers['content-length'] ?? 0), bodyLimit);
    const { token } = bearerOf(request);
    const hold = pools[token.agent === undefined ? 'person' : 'agent'].take(token, body + CALL_BYTES);
    whenOver(raw.socket, answer, hold.release);
    if (isChunked) unknown.set(request, { hold, readBefore: raw.socket.bytesRead });
    await Promise.resolve();
  });
  // A body of unknown length has arrived. From now on it counts with its actual length.
  app.addHook('preHandler', async (request) => {
    const { hold, readBefore = 0 } = unknown.get(request) ?? {};
    hold?.shrink(request.raw.socket.bytesRead - readBefore + CALL_BYTES);
    await Promise.resolve();
  });
}

interface Hold {
  /** Reduces the held bytes to this number. */
  shrink(bytes: number): void;
  /** Idempotent. */
  release(): void;
}

/** The held bytes of one kind of callers. */
class Pool {
  readonly #kind: keyof typeof OWN_BYTES;
  readonly #held = new Map<string, number>();
  #all = 0;

  constructor(kind: keyof typeof OWN_BYTES) {
    this.#kind = kind;
  }

  /** Throws RESOURCE_EXHAUSTED when the caller holds too much, and UNAVAILABLE when all callers together do. */
  take({ account, agent }: TokenEntry, bytes: number): Hold {
    const caller = agent ?? account;
    const own = this.#held.get(caller) ?? 0;
    if (own + bytes > OWN_BYTES[this.#kind]) throw tooMuch(OWN_BYTES[this.#kind]);
    if (bytes > SMALL_BYTES && this.#all + bytes > ALL_BYTES[this.#kind]) throw busy();
    this.#add(caller, bytes);
    let held = bytes;
    const shrink = (to: number): void => {
      this.#add(caller, Math.min(to - held, 0));
      held = Math.min(to, held);
    };
    return { shrink, release: () => shrink(0) };
  }

  #add(caller: string, bytes: number): void {
    const own = (this.#held.get(caller) ?? 0) + bytes;
    if (own === 0) this.#held.delete(caller);
    else this.#held.set(caller, own);
    this.#all += bytes;
  }
}

const open = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls back when the answer was sent or the connection is lost. A queued answer on a lost connection emits no `close`.
 */
function whenOver(socket: Socket, answer: ServerResponse, over: () => void): void {
  if (answer.closed || socket.destroyed) {
    over();
    return;
  }
  const known = open.get(socket);
  const callbacks = known ?? new Set();
  callbacks.add(over);
  answer.once('close', () => {
    callbacks.delete(over);
    over();
  });
  if (known !== undefined) return;
  open.set(socket, callbacks);
  socket.once('close', () => {
    for (const each of callbacks) each();
  });
}

function tooMuch(limit: number): MurmurError {
  return new MurmurError('RESOURCE_EXHAUSTED', 'this caller has too many or too large requests in progress', {
    hint: 'send it again after others were answered',
    details: { limit_bytes: limit, retry_after_ms: RETRY_MS },
  });
}

function busy(): MurmurError {
  return new MurmurError('UNAVAILABLE', 'the API server has too many large requests in progress', {
    hint: 'send it again in a moment',
    details: { retry_after_ms: RETRY_MS },
  });
}
