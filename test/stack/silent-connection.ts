import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection that sends nothing. */
export async function silentConnection(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  // The end of the other side is only noticed while reading.
  socket.resume();
  await once(socket, 'connect');
  return socket;
}
