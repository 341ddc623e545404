// Streams over the connection to a machine, and the loss of the connection.
import { expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { posix } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import type { Bench, SuiteOptions } from './suite.ts';
import { startServer, TIMEOUT_MS } from './suite.ts';

/** A driver must notice a dead link within this time: three missed keep-alives of a second each, on a busy host. */
const NOTICED_MS = 30_000;
/** Far below the time after which a dead link is noticed. */
const AT_ONCE_MS = 1_000;

export function connectionConformance(bench: () => Bench, { linkDies = false, runner }: SuiteOptions): void {
  it('dial reaches a loopback port of the machine and throws UNAVAILABLE when nothing listens there', async () => {
    const machine = await bench().connected();
    const server = await startServer(machine);
    const socket = await machine.dial(server.port);
    socket.end(' and back');
    expect(await text(socket)).toBe('hello and back');
    const other = await machine.dial(server.port);
    other.destroy();
    await once(other, 'close');
    await server[Symbol.asyncDispose]();
    await expect(machine.dial(server.port)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('dial carries many connections at once', async () => {
    const machine = await bench().connected();
    await using server = await startServer(machine);
    const answers = Array.from({ length: 40 }, async (_, index) => {
      const socket = await machine.dial(server.port);
      socket.end(String(index));
      return await text(socket);
    });
    expect(await Promise.all(answers)).toEqual(answers.map((_, index) => `hello${String(index)}`));
  });

  it('expose makes a server of this host reachable from the machine for several connections', async () => {
    const machine = await bench().connected();
    const server = createServer((socket) => socket.end('from our side')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { node } = await machine.facts();
    const ask = "require('net').connect(Number(process.argv[2]), process.argv[1]).pipe(process.stdout)";
    for (let time = 0; time < 2; time += 1) {
      const there = await machine.expose({ host: '127.0.0.1', port });
      const args = ['-e', ask, there.host, String(there.port)];
      const { stdout } = await machine.exec(node, args, { timeoutMs: TIMEOUT_MS });
      expect(stdout).toBe('from our side');
    }
    server.close();
    await once(server, 'close');
  });

  it('several leases of one connection work at once, and releasing one leaves the others usable', async () => {
    const { provider, connected, name } = bench();
    const one = await connected();
    const two = await provider.connect(name());
    const file = posix.join(one.paths.work, 'shared');
    await one.put(file, 'by one');
    await expect(two.get(file)).resolves.toEqual(Buffer.from('by one'));
    await one[Symbol.asyncDispose]();
    await one[Symbol.asyncDispose]();
    await expect(two.get(file)).resolves.toEqual(Buffer.from('by one'));
    await two[Symbol.asyncDispose]();
    await using three = await provider.connect(name());
    await expect(three.get(file)).resolves.toEqual(Buffer.from('by one'));
  });

  it('stopping the machine loses its connection, and calls in progress throw UNAVAILABLE', async () => {
    const { provider, connected, name } = bench();
    const machine = await connected();
    const command = machine.exec('sleep', ['600'], { timeoutMs: 600_000 });
    const failed = expect(command).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await provider.stop(name());
    await failed;
    expect(machine.lost.aborted).toBe(true);
    expect(machine.lost.reason).toMatchObject({ code: 'UNAVAILABLE' });
    await expect(machine.get(posix.join(machine.paths.work, 'x'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  if (runner !== undefined) {
    it('ensureRunner starts one runner, which every connection finds', async () => {
      const { provider, connected, name } = bench();
      const one = await connected();
      expect(await one.recordedRunner()).toBeUndefined();
      const two = await provider.connect(name());
      const [first, second] = await Promise.all(
        [one, two].map((machine) => machine.ensureRunner(runner, { use: 'begin' })),
      );
      expect(first).toEqual({ port: expect.any(Number), token: expect.stringMatching(/^[0-9a-f]{64}$/) });
      expect(second).toEqual(first);
      expect(await two.recordedRunner()).toEqual(first);
      (await two.dial(first?.port ?? 0)).destroy();
    });
  }

  if (!linkDies) return;

  it(
    'calls on a link that dies throw UNAVAILABLE, and the next connection works',
    async () => {
      const { provider, connected, name, under } = bench();
      const machine = await connected();
      const server = await startServer(machine);
      const file = posix.join(machine.paths.work, 'written');
      await machine.put(file, 'whole');
      const command = machine.exec('sleep', ['600'], { timeoutMs: 600_000 });
      const socket = await machine.dial(server.port);
      await once(socket, 'data');
      const left = await machine.dial(server.port);
      for (const each of [socket, left]) each.on('error', () => undefined);
      const upload = machine.write(file, stalling());
      const closed = new Promise((resolve) => left.once('close', resolve));
      const outcomes = Promise.allSettled([command, upload, buffer(socket)]);
      await under.killLink?.(name());
      // Destroying a stream takes effect before the dead link is noticed.
      const began = Date.now();
      left.destroy();
      await closed;
      expect(Date.now() - began).toBeLessThan(AT_ONCE_MS);
      for (const outcome of (await outcomes).slice(0, 2)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
      }
      expect(socket.destroyed).toBe(true);
      expect(machine.lost.aborted).toBe(true);
      await using again = await provider.connect(name());
      expect(again.lost.aborted).toBe(false);
      // The cut upload did not replace the file.
      await expect(again.get(file)).resolves.toEqual(Buffer.from('whole'));
      const other = await again.dial(server.port);
      other.end();
      expect(await text(other)).toBe('hello');
      await server.end(again);
    },
    NOTICED_MS + TIMEOUT_MS,
  );
}

/** Yields one piece and then never ends. */
async function* stalling(): AsyncGenerator<Buffer> {
  yield Buffer.alloc(100_000, 'half');
  await new Promise(() => undefined);
}
