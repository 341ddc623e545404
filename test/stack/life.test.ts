import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StackRecord } from '../../contract/stack.ts';
import { diagnose } from '../../stack/doctor.ts';
import { ask } from '../../stack/loopback.ts';
import { isRunning } from '../../stack/process.ts';
import { removeRecord } from '../../stack/record.ts';
import { stackProcesses } from '../../stack/supervisor/stack-processes.ts';
import { temporalHasStarted } from '../../stack/supervisor/readiness.ts';
import { temporalHttp } from '../../stack/supervisor/temporal.ts';
import { upInForeground } from '../../stack/up.ts';
import { runInProcess } from '../cli/in-process.ts';
import { chromiumPath, startBrowser, type Browser, type Tab } from '../server/fixtures/browser.ts';
import { StackHarness, TEST_TIMEOUT_MS } from './harness.ts';
import { endFromPage, operatorOf } from './visitors.ts';

/** Longer than an answer takes on a busy machine. */
const ANSWER_MS = 10_000;

// One home for all tests: `up` returns a running stack.
let stack: StackHarness;

beforeAll(async () => {
  stack = await StackHarness.create();
});
afterAll(async () => {
  await stack.remove();
}, TEST_TIMEOUT_MS);

async function temporalAnswers({ temporal }: StackRecord): Promise<boolean> {
  const http = await temporalHttp(temporal);
  const url = `${http.url}/api/v1/namespaces/default`;
  return (await ask(url, { ...http, limitMs: ANSWER_MS })) !== undefined;
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
    'reports at another up that the stack is already running, with the same information',
    async () => {
      const record = await stack.record();
      expect(await stack.up()).toEqual({ already_running: true, record });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'starts Temporal, worker and API server, and reports their addresses',
    async () => {
      const { record } = await stack.up();
      expect(record).toMatchObject({ state: 'ready', temporal: { embedded: true, namespace: 'default' } });
      expect(await temporalAnswers(record)).toBe(true);
      expect(await temporalHasStarted(await temporalHttp(record.temporal))).toBe(true);
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

describe('a page in a browser of this host', () => {
  const path = chromiumPath();
  const test = path === undefined ? it.skip : it;
  let browser: Browser;
  let tab: Tab;
  beforeAll(async () => {
    if (path === undefined) return;
    browser = await startBrowser(path);
    tab = await browser.tab();
  }, TEST_TIMEOUT_MS);
  afterAll(async () => {
    if (path !== undefined) await browser[Symbol.asyncDispose]();
  }, TEST_TIMEOUT_MS);

  test.each(['auto', 'tracking'] as const)(
    'cannot control Temporal from another origin (isolation: %s)',
    async (isolation) => {
      if (isolation === 'tracking') await stack.down();
      const { record } = await stack.up({ config: { ...stack.config, isolation } });
      await using operator = await operatorOf(stack.config);
      expect(await endFromPage(tab, record, operator.client)).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    'finds neither Web UI nor HTTP where agents could open them too',
    async () => {
      const { record } = await stack.up();
      const { http_url: http = '', open, tls, ui_port: ui } = record.temporal ?? {};
      expect([tls, ui, open]).toEqual([undefined, undefined, expect.stringContaining('MURMUR_ISOLATION=tracking')]);
      expect((await fetch(`${http}/api/v1/namespaces/default`)).status).toBe(403);
      expect(await temporalAnswers(record)).toBe(true);
      const told = (await diagnose({ env: stack.env, cwd: stack.home })).find(({ message }) =>
        message.includes('open'),
      );
      expect(told).toMatchObject({ name: 'temporal', state: 'warning', message: expect.stringContaining(open ?? '') });
      await stack.down();
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "shows Temporal's Web UI when a link of `murmur url temporal` is opened",
    async () => {
      const { record } = await stack.up();
      const { ui_port: port } = record.temporal ?? {};
      if (port === undefined) return; // no namespaces on this host
      const { env } = stack;
      const { stdout } = await runInProcess(['url', 'temporal'], { env: { ...env }, cwd: stack.home });
      expect(stdout).toMatch(
        new RegExp(`^http://[0-9a-z]+-[0-9a-f]{32}\\.localhost:${String(port)}/namespaces/default/workflows\\n$`),
      );
      await tab.open(stdout.trim());
      await tab.until(`document.body.innerText.includes('Workflows') && document.title.includes('default')`);
      expect((await fetch(`http://127.0.0.1:${String(port)}/`)).status).toBe(403);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('a killed process', () => {
  it.each(['temporal', 'worker', 'server'] as const)(
    '%s is restarted on the same ports',
    async (name) => {
      const { record: before } = await stack.up();
      const after = await stack.killChild(name);
      expect(after.temporal).toEqual(before.temporal);
      expect(after.server).toEqual(before.server);
      await stack.until(async () => ((await temporalAnswers(before)) ? true : undefined));
      for (const other of ['temporal', 'worker', 'server'] as const) {
        if (other !== name) expect(after.children[other]).toEqual(before.children[other]);
      }
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'keeps its ports reserved, and a request waits for the next process',
    async () => {
      const { record } = await stack.up();
      const { server: { url = '' } = {}, temporal } = record;
      const { server, temporal: relay } = record.children;
      if (server === undefined || relay === undefined) throw new Error('a process is missing');
      // Without namespaces Temporal opens its ports itself.
      const walled = temporal?.open === undefined ? ([[relay, temporal?.address]] as const) : [];
      for (const [child, address = ''] of [[server, new URL(url).host], ...walled] as const) {
        process.kill(child.pid, 'SIGKILL');
        await stack.until(async () => ((await isRunning(child)) ? undefined : true));
        const other = createServer().listen(Number(address.split(':')[1]), '127.0.0.1');
        const [error] = await Promise.race([once(other, 'error'), once(other, 'listening')]);
        other.close();
        expect(error).toMatchObject({ code: 'EADDRINUSE' });
        if (child === server) expect((await fetch(`${url}/ready`)).status).toBe(200);
        else await stack.until(async () => ((await temporalAnswers(record)) ? true : undefined));
      }
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'supervisor: the others continue, and the next up replaces them',
    async () => {
      const { record } = await stack.up();
      process.kill(record.supervisor.pid, 'SIGKILL');
      await stack.until(async () => ((await isRunning(record.supervisor)) ? undefined : true));
      expect(await temporalAnswers(record)).toBe(true);
      const again = await stack.up();
      expect(again.already_running).toBe(false);
      for (const child of Object.values(record.children)) expect(await isRunning(child)).toBe(false);
      expect(Object.values(again.record.children)).toHaveLength(3);
    },
    TEST_TIMEOUT_MS,
  );

  it.each([
    ['one that no record names', async () => await stack.changeRecord((record) => ({ ...record, children: {} }))],
    ['one whose record is gone', async () => await removeRecord(stack.config.home)],
  ])(
    'supervisor: the next up and down end every process that it started, also %s',
    async (_which, forget) => {
      for (const end of [() => stack.up(), () => stack.down()]) {
        const { record } = await stack.up();
        process.kill(record.supervisor.pid, 'SIGKILL');
        await stack.until(async () => ((await isRunning(record.supervisor)) ? undefined : true));
        await forget();
        await end();
        for (const child of Object.values(record.children)) expect(await isRunning(child)).toBe(false);
      }
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'supervisor: down ends the others',
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
  'up in the foreground runs until its signal aborts',
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
    'reports the last log lines of a process that ends as soon as it starts, and leaves no process',
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
    'is reported once its processes have ended, so that the next one does not run beside them',
    async () => {
      const programs = join(import.meta.dirname, 'programs');
      const entries = { worker: join(programs, 'slow', 'worker', 'main.ts'), server: join(programs, 'failing.ts') };
      await expect(stack.up({ entries })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(await stackProcesses(stack.config.home, 'worker')).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'names a taken port, and how to choose another one',
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
  'down leaves no process, and is a no-op when repeated',
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
