// Text on its way into an event: capped, and always valid when written as JSON in UTF-8. Imports contract/wire only.
import { EVENT_TEXT_LIMIT } from '../../contract/wire/events.ts';

/** Text of at most EVENT_TEXT_LIMIT characters; `whole_bytes` is set when something was cut off. */
export interface EventText {
  readonly text: string;
  /** UTF-8 bytes of the whole. */
  readonly whole_bytes?: number;
}

/**
 * Cuts a text for an event. Half a surrogate pair, whether from the cut or from the source, becomes U+FFFD, so that
 * every reader of the log sees the same string. Control characters stay: whoever prints them must quote them.
 */
export function eventText(text: string): EventText {
  if (text.length <= EVENT_TEXT_LIMIT) return { text: text.toWellFormed() };
  const endsInPair = /[\uD800-\uDBFF]/.test(text.charAt(EVENT_TEXT_LIMIT - 1));
  const head = text.slice(0, endsInPair ? EVENT_TEXT_LIMIT - 1 : EVENT_TEXT_LIMIT);
  return { text: head.toWellFormed(), whole_bytes: Buffer.byteLength(text) };
}
