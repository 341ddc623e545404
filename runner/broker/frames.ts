// The protocol of the broker's socket. The broker sends frames: channel number (1 byte), length (4 bytes, big endian),
// data. The client sends one line of JSON and then plain bytes. Imports nothing of Murmur.
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

/** Converts a stream of bytes into frames of one channel. */
export function framed(channel: number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done): void {
      done(null, frame(channel, chunk));
    },
  });
}
