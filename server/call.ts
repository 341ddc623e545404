// One call of an operation, from any transport to its handler and back.
import type { Operation } from '../contract/operation.ts';
import type { TokenEntry } from '../contract/wire/tokens.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { callerOf, nameOf, ownId } from './caller.ts';
import type { Call } from './handler.ts';
import { handlers } from './handlers/index.ts';
import { sendMessage } from './handlers/messages.ts';
import type { AgentInput } from './handlers/messages.ts';
import type { ServerParts } from './parts.ts';
import { unlessRevoked } from './token-watch.ts';

/** What is known about a call besides its input. */
export interface CallFacts {
  /** Idempotency key, as sent. */
  readonly id: string;
  readonly token: TokenEntry;
  /** Host header, checked. */
  readonly host: string;
  /** Aborts when the caller disconnects or the server stops. */
  readonly signal: AbortSignal;
}

/** The call for handlers. Throws PERMISSION_DENIED for operations that agents are not allowed to call. */
export function openCall(operation: Operation, facts: CallFacts): Omit<Call, 'progress'> {
  const caller = callerOf(facts.token);
  const access = operation.access ?? 'read';
  if (access === 'own' && caller.agent !== undefined) {
    throw new MurmurError('PERMISSION_DENIED', `agents are not allowed to call ${operation.name}`);
  }
  return { ...facts, id: ownId(caller, facts.id), account: caller.account, caller, from: nameOf(caller), access };
}

/** A handler without the types of its operation. The registry ensures that input and answer match. */
type AnyHandler = (parts: ServerParts, input: unknown, call: Call) => Promise<unknown>;

/** The operation's handler. Plain messages share one. */
export function handlerOf({ name, to }: Operation): AnyHandler {
  if (to === undefined) return handlers[name as keyof typeof handlers] as AnyHandler;
  return (parts, input, call) => sendMessage(parts, to, input as AgentInput, call);
}

/** The answer to a checked input. Throws as `answerUnlessStopped` does. */
export async function answerTo(
  parts: ServerParts,
  operation: Operation,
  input: unknown,
  stoppable: Stoppable & { readonly call: Call },
): Promise<unknown> {
  return await answerUnlessStopped(operation, stoppable, () => handlerOf(operation)(parts, input, stoppable.call));
}

/** A call, and the signals that end it from outside. */
export interface Stoppable {
  readonly call: Pick<Call, 'signal'>;
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal;
  /** Aborts with an error when the caller's token is no longer valid. */
  readonly revoked: AbortSignal;
}

/**
 * The answer of the work. Throws UNAVAILABLE when the server stops first: a waiting handler then returns early, with an
 * incomplete answer. Throws UNAUTHENTICATED as soon as the caller's token becomes invalid; the operation may still take
 * effect.
 */
export async function answerUnlessStopped(
  operation: Operation,
  { call, stopping, revoked }: Stoppable,
  work: () => Promise<unknown>,
): Promise<unknown> {
  try {
    const answer = await unlessRevoked(revoked, work());
    if (!stopping.aborted || operation.stream !== 'result') return answer;
  } catch (error) {
    if (revoked.aborted) throw revoked.reason;
    if (!call.signal.aborted || error !== call.signal.reason) throw error;
  }
  throw new MurmurError('UNAVAILABLE', 'the API server is stopping', { hint: 'try again in a moment' });
}
