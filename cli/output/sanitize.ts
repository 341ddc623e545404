// Makes text from agents, repositories and servers safe for a terminal. All output goes through this module.
import { printable, printableJson } from '../../contract/wire/printable.ts';

export { printable } from '../../contract/wire/printable.ts';

/** Printable text on one line, shortened to `limit` characters. */
export function oneLine(text: string, limit = Infinity): string {
  const flat = printable(text.trim().replaceAll(/\s+/g, ' '));
  const characters = [...flat];
  return characters.length <= limit ? flat : `${characters.slice(0, limit - 1).join('')}…`;
}

/** JSON that is safe to print: it also escapes characters that JSON leaves unescaped. */
export function safeJson(value: unknown, indent?: number): string {
  return printableJson(JSON.stringify(value, undefined, indent) ?? 'null');
}
