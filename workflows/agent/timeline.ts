// What happened to an agent, for `status --timeline` and the event log. Pure: contract/wire only.
import type { TimelineEntry } from '../../contract/wire/agent.ts';
import type { LifecycleEvent, SourcedEvent, TimelineType } from '../../contract/wire/events.ts';
import type { AgentState } from './state.ts';

/** Entries in the state. A few days of work; the whole timeline is in the event log. */
export const TIMELINE_LIMIT = 200;

/** Characters of a text in an entry. Whole texts are in the session events; here they would fill the carried state. */
export const ENTRY_TEXT_LIMIT = 500;

/**
 * Events that wait for the log. Past it a log that cannot be written would fill the carried state, so further events
 * are counted in the last entry: numbers must stay without gaps, as the log refuses one.
 */
export const OUTBOX_LIMIT = 500;

/** Records an event in the timeline and hands it to the outbox. */
export function recordEvent(
  state: Pick<AgentState, 'timeline' | 'outbox' | 'last_event'>,
  event: LifecycleEvent,
  at: string,
  by?: string,
): void {
  addToTimeline(state, event, at, by);
  addToOutbox(state, event, at);
}

/** Adds an entry to the timeline alone. */
export function addToTimeline(
  state: Pick<AgentState, 'timeline'>,
  event: LifecycleEvent,
  at: string,
  by?: string,
): void {
  state.timeline.push({ ...shorten(event), at, ...(by === undefined ? {} : { by }) });
  if (state.timeline.length > TIMELINE_LIMIT) state.timeline.splice(0, state.timeline.length - TIMELINE_LIMIT);
}

/** Hands an event to the outbox alone, with the next number. */
export function addToOutbox(state: Pick<AgentState, 'outbox' | 'last_event'>, event: LifecycleEvent, at: string): void {
  const short = shorten(event);
  if (state.outbox.length < OUTBOX_LIMIT) {
    state.last_event += 1;
    state.outbox.push({ seq: state.last_event, at, event: short });
  } else {
    const last = state.outbox[state.outbox.length - 1];
    if (last !== undefined) state.outbox[state.outbox.length - 1] = { seq: last.seq, at, event: latest(last, short) };
  }
}

/** The log has all events up to this number. */
export function confirmEvents(state: Pick<AgentState, 'outbox'>, last: number): void {
  state.outbox = state.outbox.filter(({ seq }) => seq > last);
}

/** Entries of the given types, oldest first. */
export function timelineOf(entries: readonly TimelineEntry[], types: readonly TimelineType[]): TimelineEntry[] {
  // A note belongs to no type of the product: whoever looks at the timeline at all is shown it.
  return entries.filter((entry) => entry.type === 'note' || (types as readonly string[]).includes(entry.type));
}

/** A terminal phase is what waiters look for, so it is never the event that gives way. */
function latest(last: SourcedEvent, event: LifecycleEvent): LifecycleEvent {
  if (event.type === 'phase') return event;
  if (last.event.type === 'phase') return last.event;
  return { type: 'note', text: 'the event log could not be written for a while: some events are missing' };
}

/** The head of a text, with a mark when something was cut. */
export function head(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

function shorten(event: LifecycleEvent): LifecycleEvent {
  switch (event.type) {
    case 'followUp':
    case 'note':
      return { ...event, text: head(event.text, ENTRY_TEXT_LIMIT) };
    case 'taskComplete':
      return { ...event, response: head(event.response, ENTRY_TEXT_LIMIT) };
    case 'commit':
      return { ...event, subject: head(event.subject, ENTRY_TEXT_LIMIT) };
    case 'phase':
      return event.reason === undefined ? event : { ...event, reason: head(event.reason, ENTRY_TEXT_LIMIT) };
    case 'child':
      return {
        ...event,
        ...(event.reason === undefined ? {} : { reason: head(event.reason, ENTRY_TEXT_LIMIT) }),
        ...(event.response === undefined ? {} : { response: head(event.response, ENTRY_TEXT_LIMIT) }),
      };
    case 'push':
    case 'upload':
      return event;
  }
}
