// Text from agents, repositories and servers as people may see it: in a terminal, and on a page. No imports.

/** What moves the cursor, changes colours or rings; newline and tab are text. */
const CONTROLS = String.raw`\u0000-\u0008\u000b-\u001f\u007f-\u009f`;
/** What makes text run backwards, or breaks a line that is one. */
const DIRECTION = String.raw`\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069`;
/** What takes no room: two names that differ in it look the same, and it can carry text that nobody sees. */
const INVISIBLE = String.raw`\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}`;
const EMOJI = String.raw`\p{Extended_Pictographic}`;
/** The joiner makes one picture of two; anywhere else it is invisible. */
const STRAY_JOINER = String.raw`(?<!${EMOJI}[\ufe0f\u{1f3fb}-\u{1f3ff}]?)\u200d|\u200d(?!${EMOJI})`;

const UNSAFE = new RegExp(`[${CONTROLS}${DIRECTION}${INVISIBLE}]|${STRAY_JOINER}`, 'gu');

/**
 * Text in which every control, bidirectional or invisible character is replaced by one that can be seen, and every lone
 * surrogate too. Newlines, tabs and the joiners of emoji stay.
 */
export function printable(text: string): string {
  return text.toWellFormed().replaceAll('\r\n', '\n').replaceAll(UNSAFE, visible);
}

/** JSON that shows what `printable` replaces as escapes: the value stays the same. */
export function printableJson(json: string): string {
  return json.replaceAll(UNSAFE, escaped);
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}

/** The indentation of JSON is made of newlines and spaces, neither of which is matched. */
function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }).join('');
}
