// The first line of a connection.
import type { Socket } from 'node:net';

/** A request line holds a few short arguments. */
const LONGEST_REQUEST = 64 * 1024;

/** Reads up to the first newline and gives the rest back to the stream, which is paused then. */
export async function firstLine(socket: Socket, longest = LONGEST_REQUEST): Promise<string> {
  let head = Buffer.alloc(0);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const onData = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const newline = head.indexOf(10);
    if (newline < 0 && head.length > longest) return reject(new Error('the request is too long'));
    if (newline < 0) return;
    socket.pause();
    socket.off('data', onData);
    if (newline + 1 < head.length) socket.unshift(head.subarray(newline + 1));
    resolve(head.toString('utf8', 0, newline));
  };
  socket.on('data', onData);
  // One whose first line was read before is paused.
  socket.resume();
  socket.once('end', () => reject(new Error('the request is not complete')));
  return promise;
}
