// How error messages quote an invalid value.

/** Characters of the value that a message quotes: enough to recognise it. A prompt can have megabytes. */
const QUOTE_LIMIT = 80;

/** The value as JSON, shortened. JSON escapes control characters, so the message is safe on a terminal. */
export function quoteValue(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length <= QUOTE_LIMIT ? text : `${text.slice(0, QUOTE_LIMIT)}…`;
}
