// Plain messages: operations that only send something to a workflow. Their definition says what is sent and what is
// answered, as data and pure functions. The API server sends it; no handler is written for them.
import type { FlightUpdates } from './wire/flight/messages.ts';
import type { AgentSignals, AgentUpdates, Order } from './wire/messages.ts';

/** What a plain message is sent as. The kinds exclude each other, so that the compiler knows which one a literal is. */
interface Kinds {
  readonly signal?: keyof AgentSignals;
  readonly update?: keyof AgentUpdates;
  readonly flight?: keyof FlightUpdates;
  readonly followUp?: keyof typeof FOLLOW_UP_SIGNALS;
}
type Only<Kind extends keyof Kinds> = { readonly [Other in Exclude<keyof Kinds, Kind>]?: undefined };

/** Signals that carry a text for the agent, by the kind of follow-up that it is. */
export const FOLLOW_UP_SIGNALS = { queue: 'queueAdd', send: 'sessionSend', notify: 'notify' } as const;

type PlainSignal = Exclude<keyof AgentSignals, (typeof FOLLOW_UP_SIGNALS)[keyof typeof FOLLOW_UP_SIGNALS]>;

/** A signal to the agent: durable once acknowledged, no worker needed. */
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
 * A text for the agent, sent as a signal. The API server counts it against what the caller may have queued, stores it
 * when it is long, and makes the payload.
 */
export interface FollowUpMessage<Input, Answer> extends Only<'followUp'> {
  readonly followUp: keyof typeof FOLLOW_UP_SIGNALS;
  text(input: Input): string;
  /** Checklist items that come with it. */
  tasks?(input: Input): readonly string[];
  answer(input: Input): Answer;
}

/** What a plain message sends to the agent that `slug` names, and what it answers. */
export type Message<Input, Answer> =
  | SignalMessage<Input, Answer>
  | UpdateMessage<Input, Answer>
  | FlightMessage<Input, Answer>
  | FollowUpMessage<Input, Answer>;
