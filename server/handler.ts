// Types of handlers. A handler does the work of one operation, without HTTP.
import type { EventsOperation, OperationName, Operations, PlainMessage } from '../contract/operations/index.ts';
import type { AnswerOf, ParsedInputOf } from '../contract/operation.ts';
import type { Access, Caller } from '../contract/wire/rights.ts';
import type { TokenEntry } from '../contract/wire/tokens.ts';
import type { ServerParts } from './parts.ts';

/** The caller, and the signal that ends the call early. */
export interface Call {
  /** Id of the resulting signal, update or spawn. Derived from the caller and its idempotency key. */
  readonly id: string;
  readonly account: string;
  readonly caller: Caller;
  /** The caller's name in messages and timelines: account, or absolute path of an agent. */
  readonly from: string;
  /** The access that the operation needs to the addressed agent. */
  readonly access: Access;
  readonly token: TokenEntry;
  /** Host header, checked: the address that the caller used. */
  readonly host: string;
  /** Aborts when the caller disconnects or the server stops. */
  readonly signal: AbortSignal;
  /** Reports the progress of a long operation to the caller. */
  readonly progress: (progress: object) => void;
}

/** A handler's answer: the output of its operation. */
export type Answer<Name extends OperationName> = AnswerOf<Operations[Name]>;

/** The handler of an events operation resolves with its events after validation. */
export type Handler<Name extends OperationName> = (
  parts: ServerParts,
  input: ParsedInputOf<Operations[Name]>,
  call: Call,
) => Promise<Name extends EventsOperation ? AsyncIterable<Answer<Name>> : Answer<Name>>;

/** One handler for each operation that is not a plain message. A missing one is a compile error. */
export type Handlers = { readonly [Name in Exclude<OperationName, PlainMessage>]: Handler<Name> };
