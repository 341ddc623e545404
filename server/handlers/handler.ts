// What a handler is: the work of one operation, without HTTP.
import type { EventsOperation, OperationName, Operations, PlainMessage } from '../../contract/operations/index.ts';
import type { AnswerOf, ParsedInputOf } from '../../contract/operation.ts';
import type { Access, Caller } from '../../contract/wire/rights.ts';
import type { TokenEntry } from '../../contract/wire/tokens.ts';
import type { ServerParts } from '../parts.ts';

/** Who calls, and how the call ends early. */
export interface Call {
  /** Of the caller's idempotency key, and no other caller's: the id of the signal, update or spawn that it leads to. */
  readonly id: string;
  readonly account: string;
  readonly caller: Caller;
  /** How the caller is named in what it causes: account, or absolute path of an agent. */
  readonly from: string;
  /** What the operation does to the agent that it names. */
  readonly access: Access;
  readonly token: TokenEntry;
  /** Host header, checked: where the caller reached the server. */
  readonly host: string;
  /** Aborts when the caller has gone or the server stops. */
  readonly signal: AbortSignal;
  /** Tells the caller how far a long operation is. */
  readonly progress: (progress: object) => void;
}

/** What a handler answers: the output of its operation. */
export type Answer<Name extends OperationName> = AnswerOf<Operations[Name]>;

/** A handler of an events operation resolves once its checks have passed; its events follow. */
export type Handler<Name extends OperationName> = (
  parts: ServerParts,
  input: ParsedInputOf<Operations[Name]>,
  call: Call,
) => Promise<Name extends EventsOperation ? AsyncIterable<Answer<Name>> : Answer<Name>>;

/** One handler for each operation that is more than a plain message: a missing one does not compile. */
export type Handlers = { readonly [Name in Exclude<OperationName, PlainMessage>]: Handler<Name> };
