// Splits a byte stream into lines of text. Built-ins only.
import { StringDecoder } from 'node:string_decoder';

/**
 * Calls `onLine` for every complete line. Joins the pieces of a line once, at its end, because it may be megabytes
 * long. Decodes characters that are split between chunks. Invalid UTF-8 becomes U+FFFD.
 */
export function lineSplitter(onLine: (line: string) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  return (chunk) => {
    const parts = decoder.write(chunk).split('\n');
    for (const [index, part] of parts.entries()) {
      pieces.push(part);
      if (index === parts.length - 1) break;
      const line = pieces.join('');
      pieces = [];
      if (line.trim() !== '') onLine(line);
    }
  };
}
