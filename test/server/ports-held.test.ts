// Ports that an agent's machine does not hold are not shared.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hasProved } from '../drivers/machines/proving.ts';
import { answerOf, MACHINE, portBench } from './fixtures/port-bench.ts';
import type { PortBench } from './fixtures/port-bench.ts';
import { creation } from '../fixtures/creation.ts';

let bench: PortBench;
beforeAll(async () => {
  bench = await portBench();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

describe('a port that a process of the machine does not hold', () => {
  test('is not shared, if another process or no process listens there', async () => {
    const { agent } = bench;
    await using other = await startOtherProcess();
    await expect(agent.call('port_url', { port: other.port })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: `port ${String(other.port)} is not held by the agent's machine ${MACHINE}`,
    });
    const port = await freePort();
    await expect(agent.call('port_url', { port })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: `nothing listens on port ${String(port)} of machine ${MACHINE}`,
    });
  });

  test('is not connected to when another process has taken it since the URL was created', async () => {
    const { agent } = bench;
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const url = await agent.call('port_url', { port });
    server.close();
    await once(server, 'close');
    expect(await answerOf(url)).toEqual([502, `Nothing listens on port ${String(port)} of machine ${MACHINE}.\n`]);
    await using other = await startOtherProcess(port);
    expect(await answerOf(url)).toEqual([502, `Port ${String(port)} is not held by the agent's machine ${MACHINE}.\n`]);
    await once(new WebSocket(url.replace('http:', 'ws:')), 'error');
    expect(await other.connections()).toBe(0);
  });

  test('causes an error when the runner is of an earlier build, which cannot check it', async () => {
    const { callerFor, known, machines, program } = bench;
    const name = 'murmur-0000000d';
    const id = 'w/default/u/alice/early';
    known.agents.set(id, { machine: name });
    await machines.create({ name, labels: { agent: id } }, creation());
    const early = createHttpServer((request, response) => {
      if (hasProved(request, response, 't')) return;
      const isHealth = request.url === '/health';
      const error = { code: 'NOT_FOUND', message: 'the runner has no POST /port' };
      response.writeHead(isHealth ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isHealth ? { protocol: 1, machine: name, pid: 1 } : { error }));
    });
    early.listen(0, '127.0.0.1');
    await once(early, 'listening');
    const machine = await machines.connect(name);
    const { port } = early.address() as AddressInfo;
    await machine.put(
      join(machine.paths.runner, 'address.json'),
      JSON.stringify({ port, pid: 1, started: '', token: 't' }),
    );
    const caller = await callerFor(id, 'agent-4');
    await expect(caller.call('port_url', { port: program.port })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(/of an earlier version.*: it works from the next turn on$/),
    });
    early.closeAllConnections();
    early.close();
  });
});

/** Another process of this host that listens on a port, like a service of the owner. */
async function startOtherProcess(
  port = 0,
): Promise<AsyncDisposable & { readonly port: number; connections(): Promise<number> }> {
  const code = `let seen = 0; const server = require('node:net').createServer((socket) => { seen += 1; socket.destroy(); });
    server.listen(${String(port)}, '127.0.0.1', () => console.log(server.address().port));
    process.stdin.on('data', () => console.log(seen));`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<number> => Number((await lines.next()).value);
  return {
    port: await next(),
    connections: async () => {
      child.stdin.write('\n');
      return await next();
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
