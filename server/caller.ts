// Identifies the caller of a request before its body is read.
import { createHash, randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MurmurError } from '../contract/wire/errors.ts';
import { absolutePathOf, parseWorkflowId } from '../contract/wire/identity.ts';
import type { Caller } from '../contract/wire/rights.ts';
import type { TokenEntry } from '../contract/wire/tokens.ts';
import type { Tokens } from './parts.ts';
import type { TokenWatch } from './token-watch.ts';
import { expiry } from './token-watch.ts';

/** A caller with a valid token. */
export interface Bearer {
  readonly token: TokenEntry;
  /** Aborts with UNAUTHENTICATED when the token becomes invalid before the answer ends. */
  readonly revoked: AbortSignal;
}

const bearers = new WeakMap<FastifyRequest, Bearer>();

/** Rejects requests without a valid token before their body is read. */
export function addIdentity(app: FastifyInstance, tokens: Tokens, watch: TokenWatch): void {
  app.addHook('onRequest', async (request, reply) => {
    bearers.set(request, await identify(tokens, watch, request, reply));
  });
}

/** The bearer of a request that passed `addIdentity`. */
export function bearerOf(request: FastifyRequest): Bearer {
  const bearer = bearers.get(request);
  if (bearer === undefined) throw new TypeError('an unauthenticated request reached a handler');
  return bearer;
}

/** The bearer of the request, watched until its answer ends. Throws UNAUTHENTICATED. */
export async function identify(
  tokens: Tokens,
  watch: TokenWatch,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Bearer> {
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new MurmurError('UNAUTHENTICATED', 'token required: send it as a bearer token');
  const entry = await tokens.identify(token);
  if (entry === undefined) throw new MurmurError('UNAUTHENTICATED', 'the token is not known');
  const problem = expiry(entry);
  if (problem !== undefined) throw problem;
  return { token: entry, revoked: watch.watch(token, entry, reply.raw) };
}

/** The caller with this token. Throws UNAUTHENTICATED for a token with an invalid agent id. */
export function callerOf(entry: TokenEntry): Caller {
  const { account, rights } = entry;
  if (entry.agent === undefined) return { account };
  const agent = parseWorkflowId(entry.agent);
  if (agent === undefined) throw new MurmurError('UNAUTHENTICATED', 'the token belongs to no agent');
  return { account, agent, ...(rights === undefined ? {} : { rights }) };
}

/** The caller's name in messages and timelines: account, or absolute path of an agent. */
export function nameOf({ account, agent }: Caller): string {
  return agent === undefined ? account : absolutePathOf(agent);
}

/** Hex digits of a hash: 96 bits, so that an agent cannot find a collision with another caller. */
const OWNER_DIGITS = 24;
/** Message ids are deduplicated by their first hundred characters, including the caller's hash. */
const KEY_LENGTH = 75;

/**
 * The id of the message, spawn, fan-out or update that a call causes. For agents it includes the caller: a key that an
 * agent reads in another agent's timeline or guesses never yields the id of another caller's call.
 */
export function ownId({ agent }: Caller, key: string): string {
  if (agent === undefined) return key;
  const short = key.length <= KEY_LENGTH ? key : digest(key).slice(0, KEY_LENGTH);
  return `${short}-${digest(absolutePathOf(agent)).slice(0, OWNER_DIGITS)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The caller's idempotency key, or a new one. Store keys contain it. Throws INVALID_ARGUMENT. */
export function callId(request: FastifyRequest): string {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return randomUUID();
  if (typeof key === 'string' && /^[A-Za-z0-9_-]{1,100}$/.test(key)) return key;
  throw new MurmurError('INVALID_ARGUMENT', 'Idempotency-Key is not valid: it needs 1 to 100 of A-Z a-z 0-9 _ -', {
    details: { field: 'Idempotency-Key' },
  });
}
