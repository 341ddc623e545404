// Unauthenticated connections to the relay: limited, and without effect on others.
import { once } from 'node:events';
import { mkdtemp, open, readFile, realpath, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { listenOn, UnauthenticatedConnections } from '../../stack/relay/unauthenticated.ts';
import { createTlsServer } from '../../stack/relay/tls.ts';
import { makeCertificates } from '../../stack/network/certificates.ts';
import { silentConnection } from './silent-connection.ts';

describe('unauthenticated connections to the relay', () => {
  test('are limited: the oldest is closed, and one with the certificate stays', async () => {
    const folder = await mkdtemp(join(await realpath(tmpdir()), 'murmur-relay-'));
    const temporal = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(temporal, 'listening');
    const { server: files, client } = await makeCertificates(folder);
    const inside = (temporal.address() as AddressInfo).port;
    const limit = new UnauthenticatedConnections(2);
    const server = createTlsServer(files, { grpc: inside, http: inside }, limit).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const [ca, cert, key] = await Promise.all(
      [client.ca, client.certificate, client.key].map((file) => readFile(file)),
    );
    const known = connect({ port, host: '127.0.0.1', ca, cert, key, servername: client.server_name });
    const echo = async (word: string): Promise<string> => {
      known.write(word);
      const [answer] = (await once(known, 'data')) as [Buffer];
      return answer.toString();
    };
    expect(await echo('one')).toBe('one');
    const silent = [await silentConnection(port), await silentConnection(port)];
    const [oldest] = silent;
    const gone = once(oldest ?? known, 'close');
    silent.push(await silentConnection(port));
    await gone;
    expect(silent.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
    expect(await echo('two')).toBe('two');
    for (const socket of [known, ...silent]) socket.destroy();
    for (const each of [server, temporal]) await new Promise((resolve) => each.close(resolve));
    await rm(folder, { recursive: true });
  });

  test('that cannot be accepted do not end the server', async () => {
    const server = createServer();
    const file = await open('/dev/null');
    // A descriptor that is not a socket: an error before listening is thrown.
    const failed = once(server, 'listening');
    listenOn(server, file.fd, 'x');
    await expect(failed).rejects.toMatchObject({ syscall: 'listen' });
    await file.close();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect(() => server.emit('error', new Error('EMFILE'))).not.toThrow();
    server.close();
  });
});
