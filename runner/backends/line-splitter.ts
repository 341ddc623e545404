// Splits a byte stream into lines of text. Built-ins only.
import { StringDecoder } from 'node:string_decoder';

/**
 * Calls `onLine` for every complete line. A line may be megabytes long: pieces are joined once, when it ends. Invalid
 * UTF-8 becomes U+FFFD, also where a character is split between two chunks it is read whole.
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
