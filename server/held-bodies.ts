// How many bytes of requests the server holds in memory at once, for one caller and for all. A request counts with what it
// announces, before its body is read, and until its answer ends.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MurmurError } from '../contract/wire/errors.ts';
import type { TokenEntry } from '../contract/wire/tokens.ts';
import { bearerOf } from './caller.ts';

const MB = 1024 * 1024;

/** What a call holds besides its body: head, parser and handler. It bounds how many calls can be under way. */
const CALL_BYTES = 16 * 1024;

/** Requests up to this size count only against the caller's own limit, so that no callers together can lock out others. */
const SMALL_BYTES = 64 * 1024;

/**
 * An agent sends prompts of some kilobytes: two of the largest bodies, or a thousand calls, are far from what one needs. A
 * person's programs may start many agents with large prompts at once.
 */
const OWN_BYTES = { agent: 16 * MB, person: 64 * MB } as const;

/** A body takes up to three times its size while it is parsed: both kinds together stay below a gigabyte. */
const ALL_BYTES = { agent: 128 * MB, person: 128 * MB } as const;

/** A body of the largest size has arrived by then on this host. */
const RETRY_MS = 1_000;

/** Bounds the requests of every route of the app; `addIdentity` comes first. `bodyLimit` is what a body may have. */
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
  // A body of unknown length has arrived: it counts with what it was.
  app.addHook('preHandler', async (request) => {
    const { hold, readBefore = 0 } = unknown.get(request) ?? {};
    hold?.shrink(request.raw.socket.bytesRead - readBefore + CALL_BYTES);
    await Promise.resolve();
  });
}

interface Hold {
  /** Holds no more than this from now on. */
  shrink(bytes: number): void;
  /** Again does nothing. */
  release(): void;
}

/** Bytes of one kind of callers. */
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

/** Calls back when the answer has been sent, or its connection is lost: an answer that waits for another is not told. */
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
  return new MurmurError('RESOURCE_EXHAUSTED', 'too many or too large requests of this caller are under way', {
    hint: 'send it again when others have been answered',
    details: { limit_bytes: limit, retry_after_ms: RETRY_MS },
  });
}

function busy(): MurmurError {
  return new MurmurError('UNAVAILABLE', 'the API server holds as many large requests as it can', {
    hint: 'send it again in a moment',
    details: { retry_after_ms: RETRY_MS },
  });
}
