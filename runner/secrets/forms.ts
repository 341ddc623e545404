// The shapes in which a secret's value can turn up in a text. Imports nothing of Murmur.

/** A shorter value is in every text by accident, so that scrubbing it would only destroy the text. */
export const SHORTEST_SECRET = 4;
/** A line of a longer secret, such as a private key, gives it away on its own from this length. */
const SHORTEST_LINE = 16;
/** Characters of base64 that belong to the value alone; fewer would match by accident. */
const SHORTEST_BASE64 = 6;

/** Every form of a value: raw, JSON-escaped (also twice), base64 at each alignment, URL-encoded. Empty for a short one. */
export function secretForms(value: string): ReadonlySet<string> {
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

/** A tool's input is JSON inside a JSON event, so a value can be escaped twice. */
function escapedForms(text: string): readonly string[] {
  const once = JSON.stringify(text).slice(1, -1);
  return [once, JSON.stringify(once).slice(1, -1)];
}

/** A value inside a longer text, as in `user:password`, is encoded in one of three ways. */
function base64Forms(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const cores = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '');
    const first = Math.ceil((shift * 8) / 6);
    // The last character holds bits of what follows, unless the bytes end with it.
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
