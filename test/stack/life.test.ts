import { readFile, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isRunning } from '../../stack/process.ts';
import { temporalHasStarted } from '../../stack/supervisor/readiness.ts';
import { upInForeground } from '../../stack/up.ts';
import { StackHarness, TEST_TIMEOUT_MS } from './harness.ts';

// One home for all of it: where a stack runs, `up` answers with that one.
let stack: StackHarness;

beforeAll(async () => {
  stack = await StackHarness.create();
});
afterAll(async () => {
  await stack.remove();
}, TEST_TIMEOUT_MS);

async function temporalAnswers(httpUrl: string | undefined): Promise<boolean> {
  if (httpUrl === undefined) return false;
  return fetch(`${httpUrl}/api/v1/namespaces/default`).then(
    (response) => response.ok,
    () => false,
  );
}

describe('up and down', () => {
  it(
    'starts one stack when two ups begin at the same time, and both report it',
    async () => {
      const [one, two] = await Promise.all([stack.up(), stack.up()]);
      expect([one.already_running, two.already_running].sort()).toEqual([false, true]);
      expect(one.record.supervisor).toEqual(two.record.supervisor);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'says of another up that it runs already, with the same information',
    async () => {
      const record = await stack.record();
      expect(await stack.up()).toEqual({ already_running: true, record });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'starts Temporal, worker and API server, and tells where they are',
    async () => {
      const { record } = await stack.up();
      expect(record).toMatchObject({ state: 'ready', temporal: { embedded: true, namespace: 'default' } });
      expect(await temporalAnswers(record.temporal?.http_url)).toBe(true);
      expect(await temporalHasStarted(record.temporal?.http_url ?? '')).toBe(true);
      expect((await fetch(`${record.server?.url ?? ''}/ready`)).ok).toBe(true);
      expect(stack.progress).toContain('starting the worker and the API server');
      const database = ['', '-wal', '-shm'].map((ending) => `temporal/temporal.db${ending}`);
      for (const file of ['stack.json', 'token', 'tokens.json', ...database]) {
        expect((await stat(join(stack.home, file))).mode & 0o777).toBe(0o600);
      }
      expect((await stat(stack.home)).mode & 0o777).toBe(0o700);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('a killed process', () => {
  it.each(['temporal', 'worker', 'server'] as const)(
    '%s is started again, on the same ports',
    async (name) => {
      const { record: before } = await stack.up();
      const after = await stack.killChild(name);
      expect(after.temporal).toEqual(before.temporal);
      expect(after.server).toEqual(before.server);
      await stack.until(async () => ((await temporalAnswers(before.temporal?.http_url)) ? true : undefined));
      for (const other of ['temporal', 'worker', 'server'] as const) {
        if (other !== name) expect(after.children[other]).toEqual(before.children[other]);
      }
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'supervisor: the others go on, and the next up replaces them',
    async () => {
      const { record } = await stack.up();
      process.kill(record.supervisor.pid, 'SIGKILL');
      await stack.until(async () => ((await isRunning(record.supervisor)) ? undefined : true));
      expect(await temporalAnswers(record.temporal?.http_url)).toBe(true);
      const again = await stack.up();
      expect(again.already_running).toBe(false);
      for (const child of Object.values(record.children)) expect(await isRunning(child)).toBe(false);
      expect(Object.values(again.record.children)).toHaveLength(3);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'supervisor: down ends what it left',
    async () => {
      const { record } = await stack.up();
      process.kill(record.supervisor.pid, 'SIGKILL');
      await stack.until(async () => ((await isRunning(record.supervisor)) ? undefined : true));
      expect(await stack.down()).toEqual({ was_running: true });
      expect(await stack.survivors()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});

it(
  'up in the foreground runs until it is told to stop',
  async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    await upInForeground(stack.options({ signal: stop.signal }), (record) => {
      seen.push(record.state);
      stop.abort();
    });
    expect(seen).toEqual(['ready']);
    expect(await stack.survivors()).toEqual([]);
    expect(await stack.record()).toBeUndefined();
  },
  TEST_TIMEOUT_MS,
);

describe('a stack that cannot start', () => {
  it(
    'tells the last words of a process that ends as soon as it starts, and leaves nothing running',
    async () => {
      const entries = { ...stack.options().entries, server: join(import.meta.dirname, 'programs', 'failing.ts') };
      await expect(stack.up({ entries })).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringMatching(/the server process ends as soon as it starts[\s\S]*no luck today/),
      });
      expect(await stack.survivors()).toEqual([]);
      expect(await readFile(join(stack.home, 'logs', 'server.log'), 'utf8')).toContain('no luck today');
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'names a port that is taken, and how to choose another',
    async () => {
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as AddressInfo;
      await expect(stack.up({ ports: { temporal: port } })).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        message: `port ${port.toString()} for Temporal is taken by another program`,
        hint: expect.stringContaining('--temporal-port'),
      });
      other.close();
      expect(await stack.survivors()).toEqual([]);
      expect((await stack.up()).already_running).toBe(false);
    },
    TEST_TIMEOUT_MS,
  );
});

it(
  'down leaves no process behind, and stops nothing twice',
  async () => {
    await stack.up();
    const both = await Promise.all([stack.down(), stack.down()]);
    expect(both.some((result) => result.was_running)).toBe(true);
    expect(await stack.survivors()).toEqual([]);
    expect(await stack.record()).toBeUndefined();
    expect((await stat(join(stack.home, 'temporal', 'temporal.db'))).size).toBeGreaterThan(0);
    expect(await stack.down()).toEqual({ was_running: false });
  },
  TEST_TIMEOUT_MS,
);
