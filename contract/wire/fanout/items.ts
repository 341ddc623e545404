// Reads the items of a fan-out from the text of a file or of standard input. Pure; loaded by the CLI and MCP server.
import { MurmurError } from '../errors.ts';

/** Items of one call, each for one agent. The list is read and stored as a whole; larger ones need several calls. */
export const ITEM_LIMIT = 10_000;
/** Bytes of a file of items: some 800 per item. The server accepts no larger request body. */
export const ITEMS_FILE_LIMIT = 8 * 1024 * 1024;

/**
 * Splits a text into items at newlines (also CRLF) or at the delimiter. Skips blank items and a byte order mark. Throws
 * INVALID_ARGUMENT for no items, too many items, and a NUL in an item.
 * @param source origin of the text, for messages: `on stdin`
 */
export function readItems(text: string, source: string, delimiter = '\n'): readonly string[] {
  const pieces = text.replace(/^\uFEFF/, '').split(delimiter);
  const items = (delimiter === '\n' ? pieces.map((piece) => piece.replace(/\r$/, '')) : pieces).filter((piece) =>
    /\S/.test(piece),
  );
  checkItems(items, source);
  return items;
}

/** Checks the items. Throws INVALID_ARGUMENT. */
export function checkItems(items: readonly string[], source: string): void {
  if (items.length === 0) throw new MurmurError('INVALID_ARGUMENT', `no items ${source}`);
  if (items.length > ITEM_LIMIT) {
    throw new MurmurError('INVALID_ARGUMENT', `${items.length} items ${source}: at most ${ITEM_LIMIT} at once`, {
      hint: 'split the list into several calls',
      details: { limit: ITEM_LIMIT },
    });
  }
  const bad = items.findIndex((item) => item.includes('\0'));
  if (bad === -1) return;
  throw new MurmurError('INVALID_ARGUMENT', `item ${bad + 1} ${source} holds a NUL character`, {
    hint: "items that end in NUL, as `find -print0` writes them, need -d '\\0'",
    details: { item: bad + 1 },
  });
}

/** INVALID_ARGUMENT for a file larger than `ITEMS_FILE_LIMIT`. */
export function itemsTooLarge(path: string): MurmurError {
  return new MurmurError(
    'INVALID_ARGUMENT',
    `${JSON.stringify(path)} has more than ${String(ITEMS_FILE_LIMIT)} bytes`,
    {
      hint: 'split the list into several calls',
      details: { field: 'each', limit_bytes: ITEMS_FILE_LIMIT },
    },
  );
}

/** The delimiter for a typed text, in which `\0`, `\n` and `\t` are escapes as in printf. Throws INVALID_ARGUMENT. */
export function readDelimiter(typed: string): string {
  const delimiter = typed.replaceAll(/\\([0nt])/g, (_all, letter: string) => ESCAPES[letter] ?? letter);
  if (delimiter !== '') return delimiter;
  throw new MurmurError('INVALID_ARGUMENT', 'the delimiter is empty', { hint: "use a text, or '\\0' for NUL" });
}

const ESCAPES: Readonly<Record<string, string>> = { '0': '\0', n: '\n', t: '\t' };
