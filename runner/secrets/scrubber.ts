// Removes the values of secrets from everything that leaves the machine. Imports nothing of Murmur.

/** Replaces a value in texts. Readers see that a secret was removed, and which. */
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

  /** Adds secrets, name → value. Known values keep their first name. Ignores values under four characters. */
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
   * `text` for a text that was cut: also removes the beginning of a secret at its end, if it has at least four
   * characters.
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

  /** A copy with every string scrubbed, except for keys. */
  value<Value>(value: Value): Value {
    if (this.#text === undefined) return value;
    return mapStrings(value, (text) => this.text(text)) as Value;
  }

  /** Scrubs a byte stream of any encoding. Finds values that span two chunks. */
  async *stream(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const patterns = this.#bytes;
    let rest = '';
    for await (const chunk of chunks) {
      if (patterns === undefined) {
        yield chunk;
        continue;
      }
      const text = replaceAll(rest + chunk.toString('latin1'), patterns);
      // The end of the chunk may be the beginning of a secret, so it waits for the next chunk.
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

/** The bytes of a text as one character each, to search byte streams without decoding them. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Shorter values occur in texts by accident. Scrubbing them would only damage the text. */
const SHORTEST_SECRET = 4;
/** Lines of a longer secret, such as a private key, are secrets themselves from this length. */
const SHORTEST_LINE = 16;
/** Minimum of base64 characters that depend only on the value. Fewer would match by accident. */
const SHORTEST_BASE64 = 6;

/**
 * All encodings of a value: raw, JSON-escaped (also twice), base64 at each alignment, URL-encoded. Empty if too short.
 */
function secretForms(value: string): ReadonlySet<string> {
  if (value.length < SHORTEST_SECRET) return new Set();
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  const whole = [
    value,
    value.trim(),
    ...(lines.length > 1 ? lines.filter((line) => line.length >= SHORTEST_LINE) : []),
  ];
  const forms = whole.flatMap((text) => [text, ...escapedForms(text), ...base64Forms(text), ...urlForms(text)]);
  return new Set(forms.filter((form) => form.length >= SHORTEST_SECRET));
}

/** A tool's input is JSON within a JSON event, so a value can be escaped twice. */
function escapedForms(text: string): readonly string[] {
  const once = JSON.stringify(text).slice(1, -1);
  return [once, JSON.stringify(once).slice(1, -1)];
}

/** Within a longer text, such as `user:password`, a value has one of three encodings. */
function base64Forms(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const cores = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '');
    const first = Math.ceil((shift * 8) / 6);
    // The last character also encodes bits of the following text, unless the value ends at its boundary.
    const last = (shift + bytes.length) % 3 === 0 ? encoded.length : encoded.length - 1;
    return encoded.slice(first, last);
  });
  const whole = bytes.toString('base64');
  return [whole, whole.replaceAll('=', ''), ...cores]
    .flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
    .filter((form) => form.length >= SHORTEST_BASE64);
}

function urlForms(text: string): readonly string[] {
  const encoded = encodeURIComponent(text.toWellFormed());
  const strict = encoded.replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  return [encoded, strict, strict.replaceAll('%20', '+')].flatMap((form) => [
    form,
    form.replaceAll(/%[0-9A-F]{2}/g, (triple) => triple.toLowerCase()),
  ]);
}
