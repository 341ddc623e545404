// One connection to Debian's real ssh server: what goes wrong on it, and that everything settles.
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { openSshConnection } from '../../../../drivers/machines/ssh/connection.ts';
import type { SshConnection, SshTarget } from '../../../../drivers/machines/ssh/connection.ts';
import { Commands } from '../../../../drivers/machines/ssh/exec.ts';
import { Exposures } from '../../../../drivers/machines/ssh/exposures.ts';
import { HostFiles } from '../../../../drivers/machines/ssh/files.ts';
import { readHostKey } from '../../../../drivers/machines/ssh/host-key.ts';
import { startSshHost, sshHostProblem } from '../../../fixtures/ssh-machines/ssh-host.ts';
import type { SshHost } from '../../../fixtures/ssh-machines/ssh-host.ts';

jest.setTimeout(60_000);

const LIMIT_MS = 20_000;
const missing = sshHostProblem();
if (missing !== undefined) console.warn(`no host is reached by ssh in these tests: ${missing}`);

(missing === undefined ? describe : describe.skip)('a connection by ssh', () => {
  let host: SshHost;
  const opened: SshConnection[] = [];
  beforeAll(async () => {
    host = await startSshHost();
  });
  afterEach(() => {
    for (const connection of opened.splice(0)) connection.close();
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  const signal = (): AbortSignal => AbortSignal.timeout(LIMIT_MS);
  async function connected(target: SshTarget = host.target('builder')): Promise<SshConnection> {
    const connection = await openSshConnection(target, signal());
    opened.push(connection);
    return connection;
  }
  const shell = (commands: Commands, script: string, options: { env?: Record<string, string>; input?: string } = {}) =>
    commands.run(
      { command: 'sh', args: ['-c', script], cwd: '/tmp', env: options.env ?? {} },
      { timeoutMs: LIMIT_MS, ...(options.input === undefined ? {} : { input: options.input }) },
    );

  it('rejects a host with another key than the pinned one, names the key, and does not learn it', async () => {
    const other = readHostKey('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl');
    if (other === undefined) throw new Error('the test has no key');
    for (let time = 0; time < 2; time += 1) {
      const refused = connected({ ...host.target(), hostKeys: [other] });
      await expect(refused).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        message: expect.stringContaining('shows another key than the pinned one'),
        hint: expect.stringContaining(host.hostKey.blob.toString('base64')),
      });
    }
  });

  it('fails without a key for the login, and says what to do', async () => {
    const { keyFile: _keyFile, ...target } = host.target();
    await expect(connected(target)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      hint: expect.stringContaining('key_file'),
    });
  });

  it('throws UNAVAILABLE when no server listens', async () => {
    const transport = { description: 'nothing', dial: () => host.dial(1) };
    await expect(connected({ ...host.target(), transport })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('notices a dead link within five seconds, and every call and stream on it settles', async () => {
    const connection = await connected();
    const commands = new Commands(connection);
    const files = new HostFiles(connection, commands);
    await files.put('/tmp/settle/small', 'x');
    await files.write('/tmp/settle/large', pieces(Buffer.alloc(1_000_000), 8));
    const open = await connection.dial(22);
    await once(open, 'data');
    const half = await files.read('/tmp/settle/large');
    await once(half, 'readable');
    await host.freezeLinks();
    const began = performance.now();
    const calls = [
      shell(commands, 'sleep 30'),
      files.get('/tmp/settle/small'),
      files.put('/tmp/settle/small', 'y'),
      files.write('/tmp/settle/large', pieces(Buffer.alloc(1_000_000), 50)),
      connection.dial(22),
      connection.listen(0, () => undefined),
      once(open, 'close'),
      buffer(half),
    ];
    open.on('error', () => undefined);
    const outcomes = await Promise.allSettled(calls);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(connection.lost.reason).toMatchObject({ code: 'UNAVAILABLE' });
    const reasons = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason as Error);
    expect(reasons).toHaveLength(calls.length);
    for (const reason of reasons) expect(reason).toMatchObject({ code: 'UNAVAILABLE' });
    await expect(connection.dial(22)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('closes a destroyed stream at once, also on a dead link', async () => {
    const connection = await connected();
    const stream = await connection.dial(22);
    await once(stream, 'data');
    await host.freezeLinks();
    const began = performance.now();
    stream.destroy();
    await once(stream, 'close');
    expect(performance.now() - began).toBeLessThan(500);
    expect(connection.lost.aborted).toBe(false);
  });

  it('is lost when its server is killed, without an uncaught error in this process', async () => {
    const connection = await connected();
    const commands = new Commands(connection);
    await expect(shell(commands, 'kill -KILL $PPID; sleep 30')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(connection.lost.aborted).toBe(true);
  });

  it('queues commands beyond the number of sessions that the server allows', async () => {
    const commands = new Commands(await connected());
    const many = Array.from(
      { length: 20 },
      async (_, index) => (await shell(commands, `sleep 0.1; echo ${String(index)}`)).stdout,
    );
    expect(await Promise.all(many)).toEqual(Array.from({ length: 20 }, (_, index) => `${String(index)}\n`));
  });

  it('runs commands in quick succession, although the server frees a session shortly after its command', async () => {
    const commands = new Commands(await connected());
    const many = Array.from({ length: 200 }, async () => (await shell(commands, 'echo x')).exitCode);
    expect(new Set(await Promise.all(many))).toEqual(new Set([0]));
  });

  it('excludes output of the login start-up files from the output of commands', async () => {
    const startUp = join(host.homeOf('builder'), '.bashrc');
    await writeFile(startUp, 'echo hello from bashrc; echo and its errors >&2\n');
    try {
      const commands = new Commands(await connected());
      expect(await shell(commands, 'echo out; echo err >&2')).toEqual({
        exitCode: 0,
        stdout: 'out\n',
        stderr: 'err\n',
      });
    } finally {
      await writeFile(startUp, '');
    }
  });

  it('passes any environment without showing it on a command line', async () => {
    const commands = new Commands(await connected());
    const value = `line\n'single' "double" $HOME \`id\` \\ ${'x'.repeat(20_000)}\n`;
    const seen = await shell(commands, 'printf %s "$SECRET"; cat /proc/[0-9]*/cmdline >&2', { env: { SECRET: value } });
    expect(seen.stdout).toBe(value);
    expect(seen.stderr).not.toContain('xxxxxxxx');
    await expect(shell(commands, 'true', { env: { 'NOT A NAME': '' } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('distinguishes a missing program and a missing folder from exit status 127, and a signal from an exit', async () => {
    const commands = new Commands(await connected());
    expect(await shell(commands, 'exit 127')).toMatchObject({ exitCode: 127 });
    const run = (command: string, cwd: string) =>
      commands.run({ command, args: [], cwd, env: {} }, { timeoutMs: LIMIT_MS });
    await expect(run('no-such-program', '/')).rejects.toThrow('no-such-program did not run');
    await expect(run('true', '/no/such/folder')).rejects.toThrow('there is no folder /no/such/folder');
    await expect(shell(commands, 'kill -KILL $$')).rejects.toThrow('SIGKILL');
  });

  it('gives a command without input an empty one', async () => {
    const commands = new Commands(await connected());
    expect(await shell(commands, 'cat; echo over')).toMatchObject({ stdout: 'over\n' });
  });

  it('passes a megabyte of input', async () => {
    const commands = new Commands(await connected());
    expect(await shell(commands, 'wc -c', { input: 'x'.repeat(1_000_000) })).toMatchObject({ stdout: '1000000\n' });
  });

  it('ends the whole group of a command that is aborted', async () => {
    const commands = new Commands(await connected());
    const abort = new AbortController();
    const running = commands.run(
      { command: 'sh', args: ['-c', 'echo begun >/tmp/begun; sleep 7301 & sleep 7302'], cwd: '/tmp', env: {} },
      { timeoutMs: LIMIT_MS, signal: abort.signal },
    );
    while ((await shell(commands, 'cat /tmp/begun 2>/dev/null')).stdout === '') await delay(10);
    abort.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    expect((await shell(commands, 'pgrep -f "sleep 730[12]"')).stdout).toBe('');
  });

  it('keeps the old file when the link breaks during a write, or when bytes are missing', async () => {
    const connection = await connected();
    const files = new HostFiles(connection, new Commands(connection));
    await files.put('/tmp/cut/file', 'old');
    const cut = files.write(
      '/tmp/cut/file',
      (async function* () {
        yield Buffer.alloc(300_000);
        connection.lose(new Error('cut'));
        yield await Promise.resolve(Buffer.alloc(300_000));
      })(),
    );
    await expect(cut).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const again = await connected();
    const other = new HostFiles(again, new Commands(again));
    expect((await other.get('/tmp/cut/file')).toString()).toBe('old');
  });

  it('names the file that a full disk has no room for, and says what to do', async () => {
    const root = new Commands(await connected(host.target('root')));
    const made = await shell(root, 'mkdir /tmp/full && mount -t tmpfs -o size=64k,mode=777 tmpfs /tmp/full');
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    const connection = await connected();
    const files = new HostFiles(connection, new Commands(connection));
    const hint = expect.stringContaining('make room');
    await expect(files.write('/tmp/full/large', pieces(Buffer.alloc(100_000), 8))).rejects.toMatchObject({
      message: expect.stringMatching(/\/tmp\/full\/large cannot be written: .*No space left on device/),
      hint,
    });
    await expect(files.put('/tmp/full/small', Buffer.alloc(200_000))).rejects.toMatchObject({
      message: expect.stringContaining('/tmp/full/small cannot be written: '),
      hint,
    });
  });

  it('transfers 50 MB in both directions unchanged', async () => {
    const connection = await connected();
    const files = new HostFiles(connection, new Commands(connection));
    const chunk = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => index % 251));
    await files.write('/tmp/much', pieces(chunk, 50));
    let bytes = 0;
    for await (const piece of (await files.read('/tmp/much')) as AsyncIterable<Buffer>) {
      for (const at of [0, piece.length - 1]) expect(piece[at]).toBe(((bytes + at) % 1_000_000) % 251);
      bytes += piece.length;
    }
    expect(bytes).toBe(50_000_000);
  });

  it('frees the session of a stream that is not read', async () => {
    const connection = await connected();
    const commands = new Commands(connection);
    const files = new HostFiles(connection, commands);
    await files.put('/tmp/unread', 'x');
    for (let time = 0; time < 12; time += 1) (await files.read('/tmp/unread')).destroy();
    expect(await shell(commands, 'echo free')).toMatchObject({ stdout: 'free\n' });
  });

  it('makes a server of this side reachable on the host, at the same port for all callers', async () => {
    const connection = await connected();
    const commands = new Commands(connection);
    const exposures = new Exposures('tests');
    const session = (on: SshConnection) => ({
      connection: on,
      files: new HostFiles(on, new Commands(on)),
      shipped: '/tmp/shipped',
    });
    const server = createServer((socket) => socket.end('from our side')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const ours = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    const places = await Promise.all([1, 2, 3].map(() => exposures.expose(session(connection), ours)));
    expect(new Set(places.map(({ port }) => port)).size).toBe(1);
    const { port } = places[0] ?? { port: 0 };
    const asked = await shell(
      commands,
      `exec 3<>/dev/tcp/127.0.0.1/${String(port)}; cat <&3`.replace(/^/, 'exec bash -c "').concat('"'),
    );
    expect(asked.stdout).toBe('from our side');
    expect(await text(await host.dial(port))).toBe('from our side');
    connection.close();
    const again = await connected();
    expect(await exposures.expose(session(again), ours)).toEqual({ host: '127.0.0.1', port });
    server.close();
  });

  it('leaves no temporary files on the host', () => {
    expect(existsSync(join(host.homeOf('builder'), '.murmur'))).toBe(false);
  });
});

async function* pieces(piece: Buffer, count: number): AsyncGenerator<Buffer> {
  for (let index = 0; index < count; index += 1) yield await Promise.resolve(piece);
}
