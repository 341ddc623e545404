// The one place where text from agents, repositories and servers becomes safe for a terminal.

/** Everything that can move the cursor, change colours, ring, or make text run backwards; newline and tab are text. */
const UNSAFE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]/gu;

/** Text with every control character made visible and every lone surrogate replaced. Newlines and tabs stay. */
export function printable(text: string): string {
  return text.toWellFormed().replaceAll('\r\n', '\n').replaceAll(UNSAFE, visible);
}

/** The same in one line, cut at `limit` characters. */
export function oneLine(text: string, limit = Infinity): string {
  const flat = printable(text.trim().replaceAll(/\s+/g, ' '));
  const characters = [...flat];
  return characters.length <= limit ? flat : `${characters.slice(0, limit - 1).join('')}…`;
}

/** JSON that is safe to print as it is: what JSON leaves unescaped is escaped too. */
export function safeJson(value: unknown, indent?: number): string {
  return (JSON.stringify(value, undefined, indent) ?? 'null').replaceAll(UNSAFE, escaped);
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}

/** The indentation of JSON is made of newlines and spaces, neither of which is matched. */
function escaped(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}
