// What ends a port's URL and its connections.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MachineProvider } from '../../drivers/machines/provider.ts';
import { eventually, gate } from '../fixtures/waiting.ts';
import { startRunner } from '../runner/fixture.ts';
import { startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';
import { answerOf, portBench } from './fixtures/port-bench.ts';
import type { PortBench } from './fixtures/port-bench.ts';
import { creation } from '../fixtures/creation.ts';

let bench: PortBench;
beforeAll(async () => {
  bench = await portBench();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

describe('a URL ends', () => {
  interface Short {
    readonly id: string;
    readonly machine: string;
    readonly token: string;
    readonly url: string;
  }

  let count = 0;
  /** A new machine of the agent, with a runner. */
  async function machineFor(id: string): Promise<string> {
    count += 1;
    const name = `murmur-0000010${String(count)}`;
    await bench.machines.create({ name, labels: { agent: id } }, creation());
    await startRunner({ folder: join(bench.folder, name), machine: name });
    return name;
  }

  /** A new agent, its shared URL, and the id of its token. */
  async function short(slug: string): Promise<Short> {
    const id = `w/default/u/alice/${slug}`;
    const machine = await machineFor(id);
    bench.known.agents.set(id, { machine });
    const token = `agent-${slug}`;
    const caller = await bench.callerFor(id, token);
    return { id, machine, token, url: await caller.call('port_url', { port: bench.program.port }) };
  }

  const ENDED = [404, 'This URL has ended with its agent.\n'];

  test('with the token that requested it, as do its connections, within about a second', async () => {
    const { token, url } = await short('revoked');
    const stream = await fetch(`${url}stream`);
    const socket = new WebSocket(url.replace('http:', 'ws:'));
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await bench.api.parts.tokenStore.delete(token);
    expect(await answerOf(`${url}page`)).toEqual(ENDED);
    await expect(stream.text()).rejects.toThrow();
    await closed;
  });

  test('with its agent', async () => {
    const { id, machine, url } = await short('ended');
    expect((await fetch(`${url}page`)).status).toBe(200);
    bench.known.agents.set(id, { machine, ended: true });
    expect(await answerOf(`${url}page`)).toEqual(ENDED);
    // The URL is not valid for a later agent with the same slug either.
    bench.known.agents.set(id, { machine: 'murmur-0000000e' });
    expect(await answerOf(`${url}page`)).toEqual(ENDED);
  });

  test('with the machine', async () => {
    const name = 'murmur-0000000c';
    const id = 'w/default/u/alice/lost';
    bench.known.agents.set(id, { machine: name });
    await bench.machines.create({ name, labels: { agent: id } }, creation());
    const { served } = await startRunner({ folder: join(bench.folder, name), machine: name });
    const caller = await bench.callerFor(id, 'agent-2');
    const url = await caller.call('port_url', { port: bench.program.port });
    expect((await fetch(`${url}page`)).status).toBe(200);
    await served.stop();
    await bench.machines.destroy(name);
    expect(await answerOf(url)).toEqual([502, `Machine ${name} is gone: its agent has ended.\n`]);
  });
});

describe('a connection that ends while the server connects to the port', () => {
  test.each([
    ['a request that the browser gives up', '', (browser: Socket) => void browser.destroy()],
    [
      'a WebSocket when the server stops',
      'Connection: Upgrade\r\nUpgrade: websocket\r\n',
      (_browser: Socket, { app }: Api) => void app.close(),
    ],
  ])('leaves no connection there: %s', async (_what, headers, leave) => {
    const { agent, known, machines } = bench;
    const [connected, go] = [gate(), gate()];
    const received: string[] = [];
    const closed = Promise.withResolvers<void>();
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.setEncoding('latin1').on('data', (piece: string) => received.push(piece));
      socket.once('close', () => closed.resolve());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = await agent.call('port_url', { port: (server.address() as AddressInfo).port });
    const { signer, tokenStore, tokens } = bench.api.parts;
    const slow: MachineProvider = {
      ...machines,
      connect: async (name) => {
        const machine = await machines.connect(name);
        const dial: typeof machine.dial = async (port) => {
          const socket = await machine.dial(port);
          connected.open();
          await go.opened;
          return socket;
        };
        return { ...machine, dial };
      },
    };
    await using api = await startApi({
      parts: { temporal: known.client, machines: { local: slow }, signer, tokenStore, tokens },
    });
    const browser = connect(Number(new URL(api.url).port), '127.0.0.1');
    browser.write(`GET ${new URL(url).pathname} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
    await connected.opened;
    browser.on('error', () => undefined);
    leave(browser, api);
    const connections = promisify(api.app.server.getConnections).bind(api.app.server);
    await eventually(async () => (await connections()) === 0, 'the server has seen the end of it');
    go.open();
    await closed.promise;
    expect(received).toEqual([]);
    expect(api.logged.join('')).not.toContain('defect');
    server.close();
  });
});
