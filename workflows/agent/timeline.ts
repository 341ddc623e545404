// The lifecycle events of an agent, for `status --timeline` and the event log. Pure: contract/wire only.
import type { TimelineEntry } from '../../contract/wire/agent.ts';
import type { LifecycleEvent, SourcedEvent, TimelineType } from '../../contract/wire/events.ts';
import type { AgentState } from './state.ts';

/** Entries in the state: a few days of work. The event log has the whole timeline. */
export const TIMELINE_LIMIT = 200;

/** Characters of a text in an entry. The session events have the whole text; here it would fill the carried state. */
export const ENTRY_TEXT_LIMIT = 500;

/**
 * Events that wait for the event log. If the log cannot be written, more would fill the carried state, so further
 * events are merged into the last one. Numbers stay consecutive, because the log refuses a gap.
 */
export const OUTBOX_LIMIT = 500;

/** Adds an event to the timeline and to the outbox. */
export function recordEvent(
  state: Pick<AgentState, 'timeline' | 'outbox' | 'last_event'>,
  event: LifecycleEvent,
  at: string,
  by?: string,
): void {
  addToTimeline(state, event, at, by);
  addToOutbox(state, event, at);
}

/** Adds an event to the timeline only. */
export function addToTimeline(
  state: Pick<AgentState, 'timeline'>,
  event: LifecycleEvent,
  at: string,
  by?: string,
): void {
  state.timeline.push({ ...shorten(event), at, ...(by === undefined ? {} : { by }) });
  if (state.timeline.length > TIMELINE_LIMIT) state.timeline.splice(0, state.timeline.length - TIMELINE_LIMIT);
}

/** Adds an event to the outbox only, with the next number. */
export function addToOutbox(state: Pick<AgentState, 'outbox' | 'last_event'>, event: LifecycleEvent, at: string): void {
  const short = shorten(event);
  if (state.outbox.length < OUTBOX_LIMIT) {
    state.last_event += 1;
    state.outbox.push({ seq: state.last_event, at, event: short });
  } else {
    const last = state.outbox[state.outbox.length - 1];
    if (last !== undefined)
      state.outbox[state.outbox.length - 1] = { seq: last.seq, at, event: mergeIntoLast(last, short) };
  }
}

/** Removes events up to this number from the outbox: the log has them. */
export function confirmEvents(state: Pick<AgentState, 'outbox'>, last: number): void {
  state.outbox = state.outbox.filter(({ seq }) => seq > last);
}

/** Entries of the given types, oldest first. */
export function timelineOf(entries: readonly TimelineEntry[], types: readonly TimelineType[]): TimelineEntry[] {
  // Notes have no type of their own: every view of the timeline includes them.
  return entries.filter((entry) => entry.type === 'note' || (types as readonly string[]).includes(entry.type));
}

/** Keeps a phase: a terminal phase is what waiting callers look for. */
function mergeIntoLast(last: SourcedEvent, event: LifecycleEvent): LifecycleEvent {
  if (event.type === 'phase') return event;
  if (last.event.type === 'phase') return last.event;
  return { type: 'note', text: 'the event log could not be written for a while: some events are missing' };
}

/** The start of a text, with a mark if it was cut. */
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
