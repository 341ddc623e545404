// Makes text from agents, repositories and servers safe for terminals and pages. No imports.

/** Control characters, except newline and tab: they move the cursor, change colours or ring the bell. */
const CONTROLS = String.raw`\u0000-\u0008\u000b-\u001f\u007f-\u009f`;
/** Characters that reverse the direction of text, and line separators. */
const DIRECTION = String.raw`\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069`;
/** Characters without width: names that differ only in them look the same, and they can carry hidden text. */
const INVISIBLE = String.raw`\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}`;
const EMOJI = String.raw`\p{Extended_Pictographic}`;
/** A zero-width joiner that does not join two emoji: it is invisible. */
const STRAY_JOINER = String.raw`(?<!${EMOJI}[\ufe0f\u{1f3fb}-\u{1f3ff}]?)\u200d|\u200d(?!${EMOJI})`;

const UNSAFE = new RegExp(`[${CONTROLS}${DIRECTION}${INVISIBLE}]|${STRAY_JOINER}`, 'gu');

/**
 * The text with a visible replacement for every control, bidirectional or invisible character and every lone surrogate.
 * Newlines, tabs and the joiners of emoji are kept.
 */
export function printable(text: string): string {
  return text.toWellFormed().replaceAll('\r\n', '\n').replaceAll(UNSAFE, visible);
}

/** The JSON with escapes for the characters that `printable` replaces. Its value stays the same. */
export function printableJson(json: string): string {
  return json.replaceAll(UNSAFE, escaped);
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}

/** Leaves the indentation of JSON as it is: newlines and spaces are not matched. */
function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }).join('');
}
