// Takes the values of secrets out of everything that leaves the machine. May import secrets/forms.ts only.
import { secretForms } from './forms.ts';

/** Reads better in a text than the value's absence, and names what a reader can look up. */
function placeholder(name: string): string {
  return `[secret ${name}]`;
}

interface Patterns {
  readonly any: RegExp;
  readonly nameOf: ReadonlyMap<string, string>;
  readonly longest: number;
}

export class Scrubber {
  readonly #values = new Map<string, string>();
  #text: Patterns | undefined;
  #bytes: Patterns | undefined;

  /** Adds secrets, name → value. Known values keep their first name. Values under four characters are left alone. */
  add(secrets: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(secrets)) {
      for (const form of secretForms(value)) if (!this.#values.has(form)) this.#values.set(form, name);
    }
    this.#text = compile(this.#values);
    this.#bytes = compile(new Map([...this.#values].map(([form, name]) => [latin1(form), latin1(name)])));
  }

  /** The text without secrets. */
  text(text: string): string {
    return replaceAll(text, this.#text);
  }

  /**
   * Like `text`, for a text that was cut somewhere: the beginning of a secret at its end goes too, from the fourth
   * character on.
   */
  cutText(text: string): string {
    const clean = this.text(text);
    let worst = 0;
    for (const form of this.#values.keys()) {
      for (let length = Math.min(form.length - 1, clean.length); length >= 4 && length > worst; length--) {
        if (clean.endsWith(form.slice(0, length))) worst = length;
      }
    }
    return worst === 0 ? clean : `${clean.slice(0, -worst)}[secret]`;
  }

  /** A copy with every string in it scrubbed; keys stay. */
  value<Value>(value: Value): Value {
    if (this.#text === undefined) return value;
    return mapStrings(value, (text) => this.text(text)) as Value;
  }

  /** Scrubs a stream of bytes of any encoding; a value that lies across two chunks is found. */
  async *stream(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const patterns = this.#bytes;
    let rest = '';
    for await (const chunk of chunks) {
      if (patterns === undefined) {
        yield chunk;
        continue;
      }
      const text = replaceAll(rest + chunk.toString('latin1'), patterns);
      // What could be the beginning of a secret waits for the next chunk.
      const keep = Math.min(text.length, patterns.longest - 1);
      rest = text.slice(text.length - keep);
      yield Buffer.from(text.slice(0, text.length - keep), 'latin1');
    }
    if (rest !== '') yield Buffer.from(rest, 'latin1');
  }
}

/** Applies a function to every string in a JSON value. */
export function mapStrings(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value);
  if (Array.isArray(value)) return value.map((each) => mapStrings(each, map));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapStrings(each, map)]));
}

function compile(values: ReadonlyMap<string, string>): Patterns | undefined {
  if (values.size === 0) return undefined;
  // Longest first: a value that contains another is replaced as a whole.
  const forms = [...values.keys()].sort((a, b) => b.length - a.length);
  return {
    any: new RegExp(forms.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g'),
    nameOf: values,
    longest: forms[0]?.length ?? 0,
  };
}

function replaceAll(text: string, patterns: Patterns | undefined): string {
  if (patterns === undefined || text === '') return text;
  return text.replace(patterns.any, (form) => placeholder(patterns.nameOf.get(form) ?? 'value'));
}

/** The bytes of a text, one character each: how byte streams are searched without decoding them. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
