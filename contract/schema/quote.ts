// How a refused value appears in an error message.

/** Characters of a value that a message repeats: enough to recognise it, and no megabyte of prompt. */
const QUOTE_LIMIT = 80;

/** The value as JSON, cut. JSON also escapes control characters, so that the message is safe on a terminal. */
export function quoteValue(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length <= QUOTE_LIMIT ? text : `${text.slice(0, QUOTE_LIMIT)}…`;
}
