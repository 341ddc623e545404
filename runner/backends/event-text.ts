// Prepares text for an event: limits its length and makes it valid Unicode. Imports contract/wire only.
import { EVENT_TEXT_LIMIT } from '../../contract/wire/events.ts';

/** Text of at most EVENT_TEXT_LIMIT characters. `whole_bytes` is set when it was cut. */
export interface EventText {
  readonly text: string;
  /** UTF-8 bytes of the whole text. */
  readonly whole_bytes?: number;
}

/**
 * Cuts a text for an event. A lone surrogate, from the cut or from the source, becomes U+FFFD, so that every reader of
 * the log sees the same string. Control characters stay: code that prints them must escape them.
 */
export function eventText(text: string): EventText {
  if (text.length <= EVENT_TEXT_LIMIT) return { text: text.toWellFormed() };
  const endsInPair = /[\uD800-\uDBFF]/.test(text.charAt(EVENT_TEXT_LIMIT - 1));
  const head = text.slice(0, endsInPair ? EVENT_TEXT_LIMIT - 1 : EVENT_TEXT_LIMIT);
  return { text: head.toWellFormed(), whole_bytes: Buffer.byteLength(text) };
}
