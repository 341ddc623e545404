// The part of DER that certificates need. Only encodes: it parses no input.

/** A value with its tag and length. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);

export const octets = (content: Uint8Array): Buffer => der(0x04, content);

/** `unused` is the number of unused bits at the end. */
export const bits = (content: Uint8Array, unused = 0): Buffer => der(0x03, Buffer.from([unused]), content);

/** A positive number, given as bytes. DER requires the shortest form (X.690, 8.3.2). */
export function integer(bytes: Uint8Array): Buffer {
  const leading = bytes.findIndex((byte) => byte !== 0);
  const significant = leading === -1 ? Buffer.from([0]) : bytes.subarray(leading);
  // The first bit is the sign.
  return (significant[0] ?? 0) < 0x80 ? der(0x02, significant) : der(0x02, Buffer.from([0]), significant);
}

/** An object identifier, by its dotted form. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Context-specific tag `place` around complete values. */
export const explicit = (place: number, ...parts: readonly Uint8Array[]): Buffer => der(0xa0 + place, ...parts);

function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

function base128(value: number): readonly number[] {
  const digits = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}
