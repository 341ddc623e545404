// The relay in front of a stand-in for Temporal: which connections it relays, and that both end together.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { connect as connectPlainly } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { connect, type ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { homePaths } from '../../config/home.ts';
import type { StackRecord } from '../../contract/stack.ts';
import { identityOf } from '../../stack/process.ts';
import { linkHost, LINK_MS } from '../../stack/relay/link.ts';
import { UNAUTHENTICATED_LIMIT } from '../../stack/relay/unauthenticated.ts';
import { makeCertificates } from '../../stack/network/certificates.ts';
import { localhostAddresses } from '../../stack/network/listeners.ts';
import { eventually } from '../fixtures/waiting.ts';
import { silentConnection } from './silent-connection.ts';
import { asRoot, asUser } from '../runner/isolation/variants.ts';

/** Processes start and end, on two busy cores. */
const LIMIT_MS = 60_000;
/** The first bytes sent, to any server. */
const QUESTION = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
const PROGRAMS = join(import.meta.dirname, 'programs');

interface Start {
  readonly record: NonNullable<StackRecord['temporal']>;
  readonly pid: number;
}

describe.each([asRoot, asUser])('the relay of Temporal ($name)', ({ isPossible, options: { holderUid } }) => {
  const test = isPossible ? it : it.skip;
  let folder: string;
  let keeper: ChildProcess;
  let starts: AsyncIterator<string>;
  let now: Start;

  beforeAll(async () => {
    if (!isPossible) return;
    folder = await mkdtemp(join(await realpath(tmpdir()), 'murmur-relay-'));
    const binary = join(folder, 'temporal');
    await writeFile(binary, `#!/bin/sh\nexec ${process.execPath} ${join(PROGRAMS, 'temporal.ts')} "$@"\n`);
    await chmod(binary, 0o755);
    if (holderUid !== undefined) await chown(folder, holderUid, holderUid);
    const user =
      holderUid === undefined ? [] : ['setpriv', `--reuid=${holderUid}`, `--regid=${holderUid}`, '--clear-groups'];
    const [program = '', ...args] = [...user, process.execPath, join(PROGRAMS, 'relay-supervisor.ts'), home(), binary];
    const env = { PATH: process.env['PATH'], HOME: folder };
    keeper = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    starts = createInterface({ input: keeper.stdout ?? process.stdin })[Symbol.asyncIterator]();
    now = await nextStart();
  }, LIMIT_MS);
  afterAll(async () => {
    if (!isPossible) return;
    try {
      const ended = once(keeper, 'exit');
      if (keeper.kill('SIGTERM')) await ended;
      expect(await identityOf(now.pid)).toBeUndefined();
      expect(await identityOf(await fakeTemporalPid())).toBeUndefined();
    } finally {
      await rm(folder, { recursive: true });
    }
  }, LIMIT_MS);

  const home = (): string => join(folder, 'home');
  const databaseMark = (): string => homePaths(home()).temporal.database;

  /** The keeper's output at the next start of a relay, once the relay works. */
  async function nextStart(): Promise<Start> {
    const { value } = await starts.next();
    const start = JSON.parse(value as string) as Start;
    const access = await accessOf(start);
    await eventually(async () => (await ask({ ...access, ALPNProtocols: ['h2'] })) !== '', 'it relays');
    return start;
  }

  async function accessOf({ record: { address, tls } }: Start): Promise<ConnectionOptions> {
    const [ca, cert, key] = await Promise.all(
      [tls?.ca, tls?.certificate, tls?.key].map((file) => readFile(file ?? '')),
    );
    return { port: Number(address.split(':')[1]), host: '127.0.0.1', ca, cert, key, servername: tls?.server_name };
  }

  async function fakeTemporalPid(): Promise<number> {
    return Number(await readFile(`${databaseMark()}.pid`, 'utf8'));
  }

  const uiPort = (): number => now.record.ui_port ?? 0;
  const uiKey = (): Promise<Buffer> => readFile(homePaths(home()).temporal.uiKey);
  const link = async (): Promise<string> => linkHost(await uiKey(), uiPort(), Date.now());

  test('gRPC and HTTP reach Temporal with the certificate in MURMUR_HOME', async () => {
    const access = await accessOf(now);
    expect(await ask({ ...access, ALPNProtocols: ['h2'] })).toBe(`grpc ${databaseMark()} ${QUESTION}`);
    expect(await ask({ ...access, ALPNProtocols: ['http/1.1'] })).toContain(`http ${databaseMark()}`);
  });

  test('no other connection gets a byte: without a certificate, with another authority, without TLS', async () => {
    const access = await accessOf(now);
    const { client } = await makeCertificates(join(home(), 'foreign'));
    const foreign = { cert: await readFile(client.certificate), key: await readFile(client.key) };
    for (const ALPNProtocols of [['h2'], ['http/1.1']]) {
      expect(await ask({ ...access, cert: undefined, key: undefined, ALPNProtocols })).toBe('');
      expect(await ask({ ...access, ...foreign, ALPNProtocols })).toBe('');
    }
    expect(await askPlainly(access.port ?? 0)).toBe('');
  });

  test("none of Temporal's own ports is on the host", async () => {
    const log = await readFile(`/proc/${String(await fakeTemporalPid())}/net/tcp`, 'utf8');
    const inside = [...log.matchAll(/^ *\d+: \S+:(\S+) \S+ 0A/gm)].map(([, port = '']) => Number.parseInt(port, 16));
    expect(inside).toEqual(expect.arrayContaining([7233, 7243, 8233]));
    for (const port of inside) expect(await askPlainly(port)).not.toContain(databaseMark());
  });

  test('only the owner can read keys and certificates', async () => {
    const { key, certificate } = now.record.tls ?? {};
    const { temporal } = homePaths(home());
    for (const path of [key, certificate, temporal.uiKey, join(temporal.tls, 'server-key.pem')]) {
      expect((await stat(path ?? '')).mode & 0o777).toBe(0o600);
    }
  });

  test('the Web UI answers a link on each address that a browser tries, and does not leak it to other sites', async () => {
    const host = await link();
    for (const address of localhostAddresses(uiPort())) {
      const { body, headers, status } = await askUi({
        ...address,
        as: host,
        method: 'POST',
        path: '/api/x?y',
        body: 'sent',
      });
      expect(status).toBe(200);
      const seen = { database: databaseMark(), method: 'POST', url: '/api/x?y', host: '127.0.0.1:8233', body: 'sent' };
      expect(JSON.parse(body)).toEqual(seen);
      expect(headers).toMatchObject({ 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' });
    }
  });

  test('any other host gets an empty 403', async () => {
    const key = await uiKey();
    const port = uiPort();
    const good = await link();
    const others = [
      `127.0.0.1:${String(port)}`,
      `localhost:${String(port)}`,
      good.replace('.localhost', '.example'),
      good.replace(/-./, good.includes('-0') ? '-1' : '-0'),
      good.replace(/^./, 'z'),
      good.replace(/:\d+$/, ''),
      `x.${good}`,
      linkHost(key, port + 1, Date.now()),
      linkHost(Buffer.alloc(32), port, Date.now()),
      linkHost(key, port, Date.now() - LINK_MS - 1_000),
    ];
    for (const as of others) {
      const { body, status } = await askUi({ host: '127.0.0.1', port, as, path: '/' });
      expect([as, status, body]).toEqual([as, 403, '']);
    }
  });

  test('an answer that is not HTTP ends the request, and the next one is answered', async () => {
    const as = await link();
    const odd = await askUi({ host: '127.0.0.1', port: uiPort(), as, path: '/odd' }).catch(() => ({ status: 502 }));
    expect(odd.status).toBe(502);
    expect(await askUi({ host: '127.0.0.1', port: uiPort(), as, path: '/' })).toMatchObject({ status: 200 });
  });

  test(
    'more silent connections than its limit do not lock out clients',
    async () => {
      const port = Number((await accessOf(now)).port);
      const silent = await Promise.all(
        [port, uiPort()].flatMap((each) =>
          Array.from({ length: UNAUTHENTICATED_LIMIT + 20 }, () => silentConnection(each)),
        ),
      );
      expect(await ask({ ...(await accessOf(now)), ALPNProtocols: ['h2'] })).toContain('grpc');
      expect(await askUi({ host: '127.0.0.1', port: uiPort(), as: await link(), path: '/' })).toMatchObject({
        status: 200,
      });
      for (const socket of silent) socket.destroy();
    },
    LIMIT_MS,
  );

  test(
    'killing the relay ends Temporal; the next one has the same ports and certificates, and another key',
    async () => {
      const [pid, old] = [await fakeTemporalPid(), await link()];
      process.kill(now.pid, 'SIGKILL');
      const next = await nextStart();
      expect(await identityOf(pid)).toBeUndefined();
      expect(next.record).toEqual(now.record);
      now = next;
      expect(await askUi({ host: '127.0.0.1', port: uiPort(), as: old, path: '/' })).toMatchObject({ status: 403 });
      expect(await askUi({ host: '127.0.0.1', port: uiPort(), as: await link(), path: '/' })).toMatchObject({
        status: 200,
      });
    },
    LIMIT_MS,
  );

  test(
    'a Temporal that ends is restarted with its relay',
    async () => {
      process.kill(await fakeTemporalPid(), 'SIGKILL');
      const next = await nextStart();
      expect(next.pid).not.toBe(now.pid);
      now = next;
    },
    LIMIT_MS,
  );
});

/** The answer to one line, until the other side closes; empty without a connection. */
async function ask(options: ConnectionOptions): Promise<string> {
  return answerOf(connect(options));
}

async function askPlainly(port: number): Promise<string> {
  return answerOf(connectPlainly({ port, host: '127.0.0.1', timeout: LIMIT_MS }));
}

async function answerOf(socket: ReturnType<typeof connectPlainly>): Promise<string> {
  socket.write(QUESTION);
  let answer = '';
  socket.on('data', (piece: Buffer) => {
    answer += piece.toString();
    socket.end();
  });
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}

interface UiQuestion {
  readonly host: string;
  readonly port: number;
  /** The Host header. */
  readonly as: string;
  readonly path: string;
  readonly method?: string;
  readonly body?: string;
}

async function askUi({ as, body, ...options }: UiQuestion) {
  const sent = request({ ...options, headers: { host: as }, agent: false });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}
