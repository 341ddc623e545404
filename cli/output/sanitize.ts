// The one place where text from agents, repositories and servers becomes safe for a terminal.
import { printable, printableJson } from '../../contract/wire/printable.ts';

export { printable } from '../../contract/wire/printable.ts';

/** Printable text in one line, cut at `limit` characters. */
export function oneLine(text: string, limit = Infinity): string {
  const flat = printable(text.trim().replaceAll(/\s+/g, ' '));
  const characters = [...flat];
  return characters.length <= limit ? flat : `${characters.slice(0, limit - 1).join('')}…`;
}

/** JSON that is safe to print as it is: what JSON leaves unescaped is escaped too. */
export function safeJson(value: unknown, indent?: number): string {
  return printableJson(JSON.stringify(value, undefined, indent) ?? 'null');
}
