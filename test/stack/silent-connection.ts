import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection that sends nothing. */
export async function silentConnection(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  // It sees the other side's end only while it reads.
  socket.resume();
  await once(socket, 'connect');
  return socket;
}
