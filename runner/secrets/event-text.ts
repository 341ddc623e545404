// What an event may carry: no secret, no broken text, no more than the limit.
import { EVENT_TEXT_LIMIT } from '../../contract/wire/events.ts';
import type { AgentEvent } from '../../contract/wire/events.ts';
import { mapStrings } from './scrubber.ts';
import type { Scrubber } from './scrubber.ts';

/**
 * The event as the journal may hold it: every text scrubbed, well-formed and at most EVENT_TEXT_LIMIT characters; a cut
 * tool result says how long the whole was.
 */
export function journalable<Event extends AgentEvent>(event: Event, scrubber: Scrubber): Event {
  const whole =
    event.type === 'tool_result' && event.whole_bytes === undefined && event.text.length > EVENT_TEXT_LIMIT
      ? { whole_bytes: Buffer.byteLength(event.text) }
      : {};
  return mapStrings({ ...event, ...whole }, (text) => shortText(text, scrubber)) as Event;
}

function shortText(text: string, scrubber: Scrubber): string {
  // Only a text at the limit can have been cut before it came here, in the middle of a secret.
  const clean = text.length >= EVENT_TEXT_LIMIT ? scrubber.cutText(text) : scrubber.text(text);
  return cutText(clean.toWellFormed(), EVENT_TEXT_LIMIT);
}

/** The first `limit` characters, without half a surrogate pair at the end. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit);
}

/** The first `limit` bytes of the text in UTF-8, without half a character at the end. */
export function cutBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  let end = limit;
  // A continuation byte at the cut belongs to a character that does not fit.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
