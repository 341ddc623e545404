// How the broker answers on its socket: frames of a channel number (1 byte), a length (4 bytes, big endian) and data.
// What the client sends is one line of JSON and then plain bytes. Imports nothing of Murmur.
import { Transform } from 'node:stream';

export const STDOUT = 1;
export const STDERR = 2;
/** Last frame: the exit status in one byte. */
export const EXIT = 3;

export function frame(channel: number, data: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(channel, 0);
  head.writeUInt32BE(data.length, 1);
  return Buffer.concat([head, data]);
}

/** Turns a stream of bytes into frames of one channel. */
export function framed(channel: number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done): void {
      done(null, frame(channel, chunk));
    },
  });
}
