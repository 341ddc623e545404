// The output of a command after the output of its wrapper.
import { Transform } from 'node:stream';

/**
 * Passes on everything after the line with the word. `onFact` gets the rest of that line. It also gets a later chunk
 * that begins with the word: the report of a wrapper that could not run its command.
 */
export class WrappedOutput extends Transform {
  readonly #word: string;
  readonly #onFact: (text: string) => void;
  #head: Buffer | undefined = Buffer.alloc(0);

  constructor(word: string, onFact: (text: string) => void) {
    super();
    this.#word = word;
    this.#onFact = onFact;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const rest = this.#head === undefined ? chunk : this.#afterFirst(Buffer.concat([this.#head, chunk]));
    if (rest !== undefined && rest.indexOf(this.#word) === 0) {
      this.#onFact(rest.toString('utf8', this.#word.length).trim());
    } else if (rest !== undefined && rest.length > 0) {
      this.push(rest);
    }
    done();
  }

  /** The bytes after the first line with the word; undefined before that line is whole. */
  #afterFirst(head: Buffer): Buffer | undefined {
    const start = head.indexOf(this.#word);
    const newline = start === -1 ? -1 : head.indexOf('\n', start);
    this.#head = newline === -1 ? head : undefined;
    if (newline === -1) return undefined;
    this.#onFact(head.toString('utf8', start + this.#word.length, newline).trim());
    return head.subarray(newline + 1);
  }
}
