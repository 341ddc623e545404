// Plain messages: operations that only send a message to a workflow. Data and pure functions define the message and the
// answer. The API server sends it; such an operation has no handler.
import type { FlightUpdates } from './wire/flight/messages.ts';
import type { AgentSignals, AgentUpdates, Order } from './wire/messages.ts';

/** The kinds of plain messages. They exclude each other, so that the compiler can tell which kind a literal is. */
interface Kinds {
  readonly signal?: keyof AgentSignals;
  readonly update?: keyof AgentUpdates;
  readonly flight?: keyof FlightUpdates;
  readonly followUp?: keyof typeof FOLLOW_UP_SIGNALS;
}
type Only<Kind extends keyof Kinds> = { readonly [Other in Exclude<keyof Kinds, Kind>]?: undefined };

/** The signal for each kind of follow-up. */
export const FOLLOW_UP_SIGNALS = { queue: 'queueAdd', send: 'sessionSend', notify: 'notify' } as const;

type PlainSignal = Exclude<keyof AgentSignals, (typeof FOLLOW_UP_SIGNALS)[keyof typeof FOLLOW_UP_SIGNALS]>;

/** A signal to the agent: durable once acknowledged, without a running worker. */
export type SignalMessage<Input, Answer> = {
  readonly [Name in PlainSignal]: Only<'signal'> & {
    readonly signal: Name;
    payload(order: Order, input: Input): AgentSignals[Name];
    answer(input: Input): Answer;
  };
}[PlainSignal];

/** An update of the agent: its workflow computes the reply. */
export type UpdateMessage<Input, Answer> = {
  readonly [Name in keyof AgentUpdates]: Only<'update'> & {
    readonly update: Name;
    payload(order: Order, input: Input): AgentUpdates[Name]['input'];
    answer(reply: AgentUpdates[Name]['output'], input: Input): Answer;
  };
}[keyof AgentUpdates];

/** An update of the flight that the agent pilots. */
export type FlightMessage<Input, Answer> = {
  readonly [Name in keyof FlightUpdates]: Only<'flight'> & {
    readonly flight: Name;
    payload(order: Order, input: Input): FlightUpdates[Name]['input'];
    answer(reply: FlightUpdates[Name]['output'], input: Input): Answer;
  };
}[keyof FlightUpdates];

/**
 * A text for the agent, sent as a signal. The API server checks it against the caller's limit of queued bytes, stores a
 * long text and builds the payload.
 */
export interface FollowUpMessage<Input, Answer> extends Only<'followUp'> {
  readonly followUp: keyof typeof FOLLOW_UP_SIGNALS;
  text(input: Input): string;
  /** Checklist items to add with it. */
  tasks?(input: Input): readonly string[];
  answer(input: Input): Answer;
}

/** The message that an operation sends to the agent `slug`, and the operation's answer. */
export type Message<Input, Answer> =
  | SignalMessage<Input, Answer>
  | UpdateMessage<Input, Answer>
  | FlightMessage<Input, Answer>
  | FollowUpMessage<Input, Answer>;
