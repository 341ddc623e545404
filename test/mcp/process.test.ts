// `murmur mcp` as a process: its output and its end.
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { json, sse, startScripted } from '../client/fixture.ts';
import { PROGRAM } from '../fixtures/program-under-test.ts';
import { overStdio, textOf } from './fixtures/client.ts';

jest.setTimeout(60_000);

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'murmur-mcp-'));
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

function start(
  env: Readonly<Record<string, string>> = {},
  ...flags: readonly string[]
): ChildProcessWithoutNullStreams {
  const base = { PATH: process.env['PATH'] ?? '', HOME: home, MURMUR_HOME: home };
  return spawn(process.execPath, [PROGRAM, 'mcp', ...flags], { cwd: home, env: { ...base, ...env } });
}

const INITIALIZE = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

function lines(...messages: readonly (object | string)[]): string {
  return messages
    .map((each) => `${typeof each === 'string' ? each : JSON.stringify({ jsonrpc: '2.0', ...each })}\n`)
    .join('');
}

async function outputOf(
  child: ChildProcessWithoutNullStreams,
): Promise<{ out: unknown[]; err: string; code: unknown }> {
  const chunks = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (chunks.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (chunks.err += text));
  const [code] = (await once(child, 'close')) as [unknown];
  const out = chunks.out.split('\n').filter((line) => line !== '');
  return { out: out.map((line) => JSON.parse(line) as unknown), err: chunks.err, code };
}

test('without a server it starts, lists its tools, and each call names `murmur up`', async () => {
  await using mcp = await overStdio({ MURMUR_HOME: home });
  expect((await mcp.client.listTools()).tools.map(({ name }) => name)).toContain('spawn');
  const result = await mcp.call('ls');
  expect(result).toMatchObject({ isError: true, structuredContent: { error: { code: 'UNAVAILABLE' } } });
  expect(textOf(result)).toBe('UNAVAILABLE: no Murmur is running here\nhint: run `murmur up`');
});

test('answers all piped requests, skips invalid messages, and exits at the end of stdin', async () => {
  const child = start();
  child.stdin.end(
    lines(
      INITIALIZE,
      '{"jsonrpc": broken',
      '{"neither": "request nor answer"}',
      { method: 'notifications/initialized' },
      { id: 2, method: 'tools/call', params: { name: 'ls', arguments: {} } },
      { id: 3, method: 'no/such/method' },
    ),
  );
  const { code, err, out } = await outputOf(child);
  expect(code).toBe(0);
  expect(out).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ id: 1, result: expect.objectContaining({ serverInfo: expect.anything() }) }),
      expect.objectContaining({ id: 2, result: expect.objectContaining({ isError: true }) }),
      expect.objectContaining({ id: 3, error: expect.objectContaining({ code: -32601 }) }),
    ]),
  );
  expect(out).toHaveLength(3);
  expect(err.split('\n').filter((line) => line.startsWith('murmur mcp: '))).toHaveLength(2);
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it during a call, which is aborted', async (signal) => {
  const asked = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  await using server = await startScripted((request, response) => {
    response.once('close', closed.resolve);
    sse('event: progress\ndata: {"phase":"running"}\n\n', 'stay')(request, response, '');
    asked.resolve();
  });
  const child = start({ MURMUR_API_URL: server.url, MURMUR_TOKEN: 'mur_x' });
  child.stdin.write(
    lines(INITIALIZE, { id: 2, method: 'tools/call', params: { name: 'wait', arguments: { slug: 'a' } } }),
  );
  const ended = outputOf(child);
  await asked.promise;
  child.kill(signal);
  expect((await ended).code).toBe(0);
  await closed.promise;
});

test("a call sends token and workspace, and returns the server's answer", async () => {
  await using server = await startScripted(json(200, []));
  await using mcp = await overStdio({
    ...{ MURMUR_HOME: home, MURMUR_API_URL: server.url, MURMUR_TOKEN: 'mur_token-1.abc', MURMUR_WORKSPACE: 'back' },
    ...{ MURMUR_MODEL: 'fake-1' },
  });
  expect((await mcp.call('ls')).structuredContent).toEqual({ agents: [] });
  await mcp.call('ls', { workspace: 'front' });
  await mcp.call('spawn', { slug: 'a', description: 'x' });
  expect(server.requests[0]?.['authorization']).toBe('Bearer mur_token-1.abc');
  expect(server.bodies).toEqual([
    { workspace: 'back' },
    { workspace: 'front' },
    { workspace: 'back', model: 'fake-1', slug: 'a', description: 'x' },
  ]);
});

test('a list of items is read where the server runs', async () => {
  await using server = await startScripted(json(200, { slugs: ['lint-a', 'lint-b'], count: 2 }));
  const file = join(home, 'items.txt');
  await writeFile(file, 'a\n\nb\n');
  await using mcp = await overStdio({ MURMUR_HOME: home, MURMUR_API_URL: server.url, MURMUR_TOKEN: 'mur_x' });
  const { structuredContent } = await mcp.call('spawn', { slug: 'lint-{}', description: 'Lint {}', each: file });
  expect(structuredContent).toEqual({ slugs: ['lint-a', 'lint-b'], count: 2 });
  expect(server.bodies).toEqual([expect.objectContaining({ slug: 'lint-{}', items: ['a', 'b'] })]);
  const absent = await mcp.call('spawn', { slug: 'x-{}', description: '{}', each: join(home, 'none.txt') });
  expect(textOf(absent)).toMatch(/^NOT_FOUND: no file /);
});

test("an agent's calls name no workspace, because the server knows it", async () => {
  await using server = await startScripted(json(200, { server_version: '1' }), json(200, []));
  const token = 'mur_agent-1.abc';
  await using mcp = await overStdio({ MURMUR_HOME: home, MURMUR_API_URL: server.url, MURMUR_TOKEN: token });
  expect((await mcp.call('version')).structuredContent).toEqual({
    client_version: mcp.client.getServerVersion()?.version,
    server_version: '1',
  });
  await mcp.call('task_list');
  expect(server.bodies).toEqual([{}, {}]);
});

test('a wait reports progress across a broken connection', async () => {
  const progress = (phase: string): string => `event: progress\ndata: {"phase":"${phase}"}\n\n`;
  await using server = await startScripted(
    sse(progress('starting'), 'break'),
    // The SDK's client drops progress that arrives in the same chunk as the answer.
    sse(progress('running'), 'break'),
    sse('event: result\ndata: {"phase":"idle"}\n\n'),
  );
  await using mcp = await overStdio({ MURMUR_HOME: home, MURMUR_API_URL: server.url, MURMUR_TOKEN: 'mur_x' });
  const told: (string | undefined)[] = [];
  const onprogress = ({ message }: { message?: string | undefined }): void => void told.push(message);
  expect((await mcp.call('wait', { slug: 'a' }, { onprogress })).structuredContent).toEqual({ phase: 'idle' });
  expect(told).toEqual(['starting', 'running']);
});

test('--debug logs the traffic without the token to a file that only the owner can read', async () => {
  const secret = 'mur_token-1.SeCrEt';
  await using server = await startScripted(json(404, { error: { code: 'NOT_FOUND', message: `not ${secret}` } }));
  {
    const env = { MURMUR_HOME: home, MURMUR_API_URL: server.url, MURMUR_TOKEN: secret };
    await using mcp = await overStdio(env, '--debug');
    await mcp.call('status', { slug: 'a' });
    await mcp.call('queue_add', { slug: 'a', description: `log in with ${secret}` });
  }
  const file = join(home, 'logs', 'mcp.log');
  const log = await readFile(file, 'utf8');
  expect(log).toContain('"method":"tools/call"');
  expect(log).toContain('NOT_FOUND');
  expect(log).not.toContain('SeCrEt');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('an invalid workspace is reported at once', async () => {
  const child = start({}, '--workspace', 'Not A Label');
  child.stdin.end();
  const { code, err, out } = await outputOf(child);
  expect([code, out]).toEqual([2, []]);
  expect(err).toContain('"Not A Label"');
});

test.each([[['--debug']], [['--debug', '--workspace', 'front']]])(
  'a log that cannot be opened ends it: %j',
  async (flags) => {
    const file = join(home, 'no-folder');
    await writeFile(file, '');
    const child = start({ MURMUR_HOME: file }, ...flags);
    child.stdin.end();
    const { code, err, out } = await outputOf(child);
    expect([code, out]).toEqual([6, []]);
    expect(err).toContain('cannot be written');
  },
);

test('flags of the command line reach the server', async () => {
  await using server = await startScripted(json(200, []));
  const env = { MURMUR_HOME: home, MURMUR_API_URL: server.url, MURMUR_TOKEN: 'mur_x' };
  await using mcp = await overStdio(env, '--workspace', 'typed');
  await mcp.call('ls');
  expect(server.bodies).toEqual([{ workspace: 'typed' }]);
});
