// One call of an operation on its way to the handler, whatever brought it here.
import type { Operation } from '../contract/operation.ts';
import type { TokenEntry } from '../contract/wire/tokens.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { callerOf, nameOf } from './caller.ts';
import type { Call } from './handlers/handler.ts';

/** What is known of a call beside its input. */
export interface CallFacts {
  /** Idempotency key. */
  readonly id: string;
  readonly token: TokenEntry;
  /** Host header, checked. */
  readonly host: string;
  /** Aborts when the caller has gone or the server stops. */
  readonly signal: AbortSignal;
}

/** The call as handlers take it. Throws PERMISSION_DENIED for what agents may not do at all. */
export function openCall(operation: Operation, facts: CallFacts): Omit<Call, 'progress'> {
  const caller = callerOf(facts.token);
  const access = operation.access ?? 'read';
  if (access === 'own' && caller.agent !== undefined) {
    throw new MurmurError('PERMISSION_DENIED', `${operation.name} is for people: an agent may not do it`);
  }
  return { ...facts, account: caller.account, caller, from: nameOf(caller), access };
}
