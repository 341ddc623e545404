// The machine's loopback port for the API server.
import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { AgentFile } from '../../contract/wire/agent-file.ts';
import type { ServerAddress } from '../../contract/wire/runner.ts';
import { PortRelay } from '../../runner/port-relay.ts';
import { atEnd, cleanUp, eventOf, makeFolder, openRequest, runTurn, script, startRunner, until } from './fixture.ts';
import type { TestRunner } from './fixture.ts';

afterEach(cleanUp);

interface NamedServer {
  readonly address: ServerAddress;
  readonly connections: Socket[];
  stop(): Promise<void>;
}

/** A server that answers a whole request with its name and the request. */
async function startServer(name: string, port = 0): Promise<NamedServer> {
  const connections: Socket[] = [];
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.push(socket);
    socket.on('error', () => undefined);
    text(socket).then(
      (said) => socket.end(`${name}: ${said}`),
      () => undefined,
    );
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    for (const socket of connections) socket.destroy();
    if (server.listening) await once(server.close(), 'close');
  };
  atEnd(stop);
  return { address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port }, connections, stop };
}

/** The answer of the port. Rejects when the connection is refused or breaks. */
async function ask(port: number, question: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(question);
  const answer = await text(socket);
  if (answer === '') throw new Error('closed without an answer');
  return answer;
}

function startRelay(folder = makeFolder()): PortRelay {
  const relay = new PortRelay(path.join(folder, 'relay.json'));
  atEnd(() => relay.close());
  return relay;
}

describe('the relay to the API server', () => {
  it('says a greeting first on each connection, where there is one', async () => {
    const relay = startRelay();
    const { address } = await startServer('broker');
    const port = await relay.relayTo(address, 'pass\n');
    expect(await ask(port, 'one')).toBe('broker: pass\none');
    await relay.relayTo(address);
    expect(await ask(port, 'two')).toBe('broker: two');
  });

  it('keeps its port when the server comes back on another one, and says nothing of a server that is away', async () => {
    const relay = startRelay();
    const first = await startServer('first');
    const port = await relay.relayTo(first.address);
    expect(port).not.toBe(first.address.port);
    expect(await ask(port, 'who?')).toBe('first: who?');
    await first.stop();
    await expect(ask(port, 'who?')).rejects.toThrow();
    const second = await startServer('second');
    expect(await relay.relayTo(second.address)).toBe(port);
    expect(await ask(port, 'who?')).toBe('second: who?');
  });

  it('uses the same port after a restart if it is free, else another one', async () => {
    const folder = makeFolder();
    const server = await startServer('server');
    const one = startRelay(folder);
    const port = await one.relayTo(server.address);
    await one.close();
    const two = startRelay(folder);
    expect(await two.relayTo(server.address)).toBe(port);
    await two.close();
    await startServer('another program', port);
    const other = await startRelay(folder).relayTo(server.address);
    expect(other).not.toBe(port);
    expect(await ask(other, 'who?')).toBe('server: who?');
  });

  it('has 256 connections at most: the oldest is closed for a new one', async () => {
    const relay = startRelay();
    const server = await startServer('server');
    const port = await relay.relayTo(server.address);
    const callers: Socket[] = [];
    for (let count = 0; count < 300; count += 1) {
      const caller = connect(port, '127.0.0.1');
      caller.on('error', () => undefined).resume();
      await once(caller, 'connect');
      callers.push(caller);
    }
    await until(() => callers.filter(({ destroyed }) => destroyed).length === 300 - 256);
    expect(callers.findIndex(({ destroyed }) => !destroyed)).toBe(300 - 256);
    expect(await ask(port, 'who?')).toBe('server: who?');
    await relay.close();
  });

  it('closes the other side when one side closes, and closes open connections when it ends', async () => {
    const relay = startRelay();
    const server = await startServer('server');
    const port = await relay.relayTo(server.address);
    const caller = connect(port, '127.0.0.1');
    caller.on('error', () => undefined);
    caller.write('hello');
    await until(() => server.connections.length === 1);
    caller.resetAndDestroy();
    await until(() => server.connections[0]?.destroyed === true);
    const other = connect(port, '127.0.0.1');
    other.on('error', () => undefined);
    await until(() => server.connections.length === 2);
    server.connections[1]?.resetAndDestroy();
    await once(other, 'close');
    const last = connect(port, '127.0.0.1');
    last.on('error', () => undefined);
    await until(() => server.connections.length === 3);
    await Promise.all([once(last, 'close'), relay.close()]);
  });
});

describe('an agent on a machine', () => {
  const environment = script({ tool: 'Bash', input: { command: 'cat "$MURMUR_AGENT_FILE"' } }, { text: 'done' });

  async function apiOf(runner: TestRunner, turn: string): Promise<string> {
    await runTurn(runner, turn, environment);
    const result = await eventOf(runner.client, (event) => event.type === 'tool_result');
    const text = result.event.type === 'tool_result' ? result.event.text : '';
    return (JSON.parse(text) as AgentFile).api_url ?? '';
  }

  it('reaches the API at a fixed port, which follows the server during a turn', async () => {
    const runner = await startRunner();
    const first = await startServer('first');
    const request = openRequest({ api: first.address });
    await runner.client.open(request);
    const url = new URL(await apiOf(runner, 'one'));
    expect(await ask(Number(url.port), 'who?')).toBe('first: who?');
    await runner.client.turn({ turn_id: 'long', number: 2, prompt: script({ hang: true }), inputs: [] });
    const second = await startServer('second');
    await runner.client.open({ ...request, api: second.address });
    expect(await ask(Number(url.port), 'who?')).toBe('second: who?');
    // The same program continues the turn.
    expect(await runner.client.turn({ turn_id: 'long', number: 2, prompt: 'x', inputs: [] })).toEqual({
      state: 'running',
    });
    await runner.client.stop({ status: 'interrupted' });
    await expect(ask(Number(url.port), 'who?')).rejects.toThrow();
  });

  it('has no access to Murmur without an address, and gets it with the next turn once there is one', async () => {
    const runner = await startRunner();
    const request = openRequest();
    await runner.client.open(request);
    expect(await apiOf(runner, 'one')).toBe('');
    expect(existsSync(runner.paths.relay)).toBe(false);
    const server = await startServer('server');
    await runner.client.open({ ...request, api: server.address });
    await runTurn(runner, 'two', environment);
    await eventOf(
      runner.client,
      (event) => event.type === 'tool_result' && event.text.includes('"api_url":"http://127.0.0.1:'),
    );
  });

  it.each([{ host: '', port: 1 }, { host: 'h', port: 0 }, { host: 'h', port: 70_000 }, { port: 1 }, 'h:1'])(
    'is rejected with the address %j',
    async (api) => {
      const { client } = await startRunner();
      await expect(client.open(openRequest({ api: api as never }))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    },
  );
});
