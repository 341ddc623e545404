// What every machine provider must do. Run against each driver by test/drivers/machines.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Machine, MachineProvider } from './provider.ts';

export interface ProviderUnderTest extends AsyncDisposable {
  readonly provider: MachineProvider;
}

/** Longest a command of the suite may take on a busy machine. */
const TIMEOUT_MS = 20_000;

/** Registers the suite for a driver; `make` gives each test a provider of its own. */
export function machineProviderConformance(label: string, make: () => Promise<ProviderUnderTest>): void {
  describe(`${label} machines`, () => {
    let under: ProviderUnderTest;
    let provider: MachineProvider;
    beforeEach(async () => {
      under = await make();
      provider = under.provider;
    });
    afterEach(async () => {
      await under[Symbol.asyncDispose]();
    });

    const create = (name: string, agent = 'w/a/u/b/c') =>
      provider.create(
        { name, labels: { agent } },
        { signal: new AbortController().signal, requestId: `create ${name}` },
      );
    const connected = async (name: string): Promise<Machine> => {
      await create(name);
      return provider.connect(name);
    };

    it('a machine that was created is running, and creating it again changes nothing', async () => {
      await expect(create('murmur-1')).resolves.toMatchObject({ name: 'murmur-1', state: 'running' });
      const machine = await provider.connect('murmur-1');
      await machine.put(posix.join(machine.paths.work, 'kept'), 'content');
      await create('murmur-1');
      await expect(machine.get(posix.join(machine.paths.work, 'kept'))).resolves.toEqual(Buffer.from('content'));
    });

    it('describe tells absent, running and stopped apart', async () => {
      await expect(provider.describe('murmur-1')).resolves.toMatchObject({ state: 'absent' });
      await create('murmur-1');
      await provider.stop('murmur-1');
      await expect(provider.describe('murmur-1')).resolves.toMatchObject({ state: 'stopped' });
      await provider.start('murmur-1');
      await expect(provider.describe('murmur-1')).resolves.toMatchObject({ state: 'running' });
    });

    it('a stopped machine keeps its disk and refuses connections as UNAVAILABLE', async () => {
      const machine = await connected('murmur-1');
      const file = posix.join(machine.paths.home, 'note');
      await machine.put(file, 'kept');
      await provider.stop('murmur-1');
      await expect(provider.connect('murmur-1')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await provider.start('murmur-1');
      await expect((await provider.connect('murmur-1')).get(file)).resolves.toEqual(Buffer.from('kept'));
    });

    it('destroy, stop and a second destroy of an absent machine are no-ops; start and connect are NOT_FOUND', async () => {
      await create('murmur-1');
      await provider.destroy('murmur-1');
      await provider.destroy('murmur-1');
      await provider.stop('murmur-1');
      await expect(provider.describe('murmur-1')).resolves.toMatchObject({ state: 'absent' });
      await expect(provider.start('murmur-1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(provider.connect('murmur-1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('a machine made anew under an old name has an empty disk', async () => {
      const machine = await connected('murmur-1');
      await machine.put(posix.join(machine.paths.work, 'old'), 'x');
      await provider.destroy('murmur-1');
      const again = await connected('murmur-1');
      await expect(again.get(posix.join(again.paths.work, 'old'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('list finds machines by label', async () => {
      await create('murmur-1', 'w/a/u/b/one');
      await create('murmur-2', 'w/a/u/b/two');
      const found = await provider.list({ agent: 'w/a/u/b/two' });
      expect(found.map(({ name }) => name)).toEqual(['murmur-2']);
      expect(await provider.list()).toHaveLength(2);
    });

    it('exec gives exit code, output, working directory, environment and input', async () => {
      const machine = await connected('murmur-1');
      const result = await machine.exec('sh', ['-c', 'cat; pwd; echo "$WORD"; echo oops >&2; exit 3'], {
        cwd: machine.paths.home,
        env: { WORD: 'a b' },
        input: 'from stdin\n',
        timeoutMs: TIMEOUT_MS,
      });
      expect(result).toEqual({ exitCode: 3, stdout: `from stdin\n${machine.paths.home}\na b\n`, stderr: 'oops\n' });
    });

    it('exec ends a command that takes too long with DEADLINE_EXCEEDED', async () => {
      const machine = await connected('murmur-1');
      await expect(machine.exec('sleep', ['60'], { timeoutMs: 100 })).rejects.toMatchObject({
        code: 'DEADLINE_EXCEEDED',
      });
    });

    it('exec that takes too long ends what the command started as well', async () => {
      const machine = await connected('murmur-1');
      const lock = posix.join(machine.paths.runner, 'pipe');
      await machine.exec('mkfifo', [lock], { timeoutMs: TIMEOUT_MS });
      // The child holds the pipe open for writing: its reader comes to the end once the child is gone.
      const command = machine.exec('sh', ['-c', 'sleep 600 > "$0" & wait', lock], { timeoutMs: 500 });
      const end = machine.exec('cat', [lock], { timeoutMs: TIMEOUT_MS });
      await expect(command).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
      await expect(end).resolves.toMatchObject({ exitCode: 0 });
    });

    it('exec of a program that is not there is FAILED_PRECONDITION and names it', async () => {
      const machine = await connected('murmur-1');
      await expect(machine.exec('no-such-program', [], { timeoutMs: TIMEOUT_MS })).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
      });
      await expect(machine.exec('no-such-program', [], { timeoutMs: TIMEOUT_MS })).rejects.toThrow('no-such-program');
    });

    it('put makes parents, sets the mode and replaces; get of a missing file is NOT_FOUND', async () => {
      const machine = await connected('murmur-1');
      const file = posix.join(machine.paths.runner, 'deep', 'file');
      await machine.put(file, 'one', 0o600);
      await machine.put(file, Buffer.from([0, 255]), 0o600);
      await expect(machine.get(file)).resolves.toEqual(Buffer.from([0, 255]));
      const { stdout } = await machine.exec('ls', ['-l', file], { timeoutMs: TIMEOUT_MS });
      expect(stdout).toMatch(/^-rw-------/);
      await expect(machine.get(`${file}.missing`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('write and read carry a file piece by piece; a source that fails leaves what was there', async () => {
      const machine = await connected('murmur-1');
      const file = posix.join(machine.paths.runner, 'deep', 'streamed');
      const pieces = [Buffer.from('one '), Buffer.from('two')];
      await machine.write(file, Readable.from(pieces));
      const failing = (async function* () {
        yield await Promise.resolve(Buffer.from('three'));
        throw new Error('broke off');
      })();
      await expect(machine.write(file, failing)).rejects.toThrow('broke off');
      expect(await buffer(machine.read(file))).toEqual(Buffer.concat(pieces));
      const { stdout } = await machine.exec('ls', ['-l', file], { timeoutMs: TIMEOUT_MS });
      expect(stdout).toMatch(/^-rw-------/);
      await machine.write(file, Readable.from([]));
      expect(await buffer(machine.read(file))).toEqual(Buffer.alloc(0));
      await expect(buffer(machine.read(`${file}.missing`))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('dial reaches a loopback port, and one where nothing listens is UNAVAILABLE', async () => {
      const machine = await connected('murmur-1');
      const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const socket = await machine.dial(port);
      const [data] = (await once(socket, 'data')) as [Buffer];
      expect(data.toString()).toBe('hello');
      socket.destroy();
      server.close();
      await once(server, 'close');
      await expect(machine.dial(port)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });

    it('expose makes a server of ours reachable from the machine, again and again', async () => {
      const machine = await connected('murmur-1');
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

    it('launch starts a program that writes to the log', async () => {
      const machine = await connected('murmur-1');
      const fifo = posix.join(machine.paths.runner, 'done');
      const log = posix.join(machine.paths.runner, 'program.log');
      await machine.exec('mkfifo', [fifo], { timeoutMs: TIMEOUT_MS });
      await machine.launch('sh', ['-c', 'echo launched; echo over > "$0"', fifo], { log });
      // Reading the pipe waits for the program's last word.
      await machine.exec('cat', [fifo], { timeoutMs: TIMEOUT_MS });
      expect((await machine.get(log)).toString()).toBe('launched\n');
    });
  });
}
