// Prepares an event for the journal: no secrets, valid text, limited length.
import { EVENT_TEXT_LIMIT } from '../../contract/wire/events.ts';
import type { AgentEvent } from '../../contract/wire/events.ts';
import { mapStrings } from './scrubber.ts';
import type { Scrubber } from './scrubber.ts';

/**
 * The event with every text scrubbed, well-formed and cut to EVENT_TEXT_LIMIT characters. A cut tool result has the
 * length of the whole.
 */
export function journalable<Event extends AgentEvent>(event: Event, scrubber: Scrubber): Event {
  const whole =
    event.type === 'tool_result' && event.whole_bytes === undefined && event.text.length > EVENT_TEXT_LIMIT
      ? { whole_bytes: Buffer.byteLength(event.text) }
      : {};
  return mapStrings({ ...event, ...whole }, (text) => shortText(text, scrubber)) as Event;
}

function shortText(text: string, scrubber: Scrubber): string {
  // Only a text at the limit may have been cut before, in the middle of a secret.
  const clean = text.length >= EVENT_TEXT_LIMIT ? scrubber.cutText(text) : scrubber.text(text);
  return cutText(clean.toWellFormed(), EVENT_TEXT_LIMIT);
}

/** The first `limit` characters, without a lone surrogate at the end. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit);
}

/** The first `limit` bytes of the text in UTF-8, without an incomplete character at the end. */
export function cutBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  let end = limit;
  // A continuation byte at the cut means that the last character does not fit.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
