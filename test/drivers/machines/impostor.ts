// A program that has taken the port of an ended runner.
import { once } from 'node:events';
import { createServer } from 'node:http';

/** Listens on the port and answers every request with an empty object. */
export async function impostor(port: number): Promise<AsyncDisposable> {
  const server = createServer((_, response) => response.end('{}')).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
