// The server as a process, as the supervisor uses it.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';

jest.setTimeout(60_000);

const MAIN = join(import.meta.dirname, '../../server/main.ts');

let home: string;
let child: ChildProcess | undefined;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'murmur-server-'));
});
afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await rm(home, { recursive: true, force: true });
});

function start(port: number, more: Readonly<Record<string, string>> = {}): ChildProcess {
  child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Nothing listens at this address, but the server must start.
    env: {
      PATH: process.env['PATH'] ?? '',
      MURMUR_HOME: home,
      MURMUR_API_PORT: String(port),
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      ...more,
    },
  });
  return child;
}

/** Lines of the log until one has this message. */
async function logUntil(process: ChildProcess, message: string): Promise<Record<string, unknown>> {
  for await (const line of createInterface({ input: process.stdout ?? ([] as never) })) {
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (entry['msg'] === message) return entry;
  }
  throw new Error(`the log ended without ${message}`);
}

test('serves before Temporal is up, and exits on SIGTERM with status 0', async () => {
  const token = 'mur_test';
  const sha256 = createHash('sha256').update(token).digest('hex');
  await writeFile(
    join(home, 'tokens.json'),
    JSON.stringify({ tokens: [{ id: 'owner', account: 'me', sha256, created_at: '2026-01-01T00:00:00Z' }] }),
  );
  const server = start(0, { MURMUR_TOKEN: 'mur_inherited' });
  const { url } = (await logUntil(server, 'listening')) as { url: string };
  const client = createClient({ url, token });
  expect(await client.call('auth', {})).toMatchObject({ account: 'me', token: { source: join(home, 'tokens.json') } });
  expect(await client.call('version', {})).toMatchObject({
    server_version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    api_host: new URL(url).host,
    temporal: { address: '127.0.0.1:1', namespace: 'default' },
  });
  const exited = once(server, 'exit');
  server.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

test('a taken port ends the server with status 1 and a reason', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  try {
    const server = start((other.address() as AddressInfo).port);
    const exited = once(server, 'exit');
    const entry = await logUntil(server, 'the API server cannot start');
    expect(JSON.stringify(entry)).toContain('EADDRINUSE');
    expect((await exited)[0]).toBe(1);
  } finally {
    other.close();
  }
});
