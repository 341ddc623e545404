// The CLI as a process: pipes, signals, exit statuses.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CliHarness, event } from './harness.ts';
import { ROOT } from './in-process.ts';

/** Starting the CLI from its sources takes half a second on an idle machine, and several on a busy one. */
const TIMEOUT_MS = 60_000;
const BIN = join(ROOT, 'bin', 'murmur.js');

let cli: CliHarness;

beforeAll(async () => {
  cli = await CliHarness.start();
});
afterAll(async () => {
  await cli.close();
});

function entry(id: number, text: string): string {
  const at = '2026-01-01T00:00:00Z';
  return event('event', { id: id.toString(), at, event: { type: 'assistant_text', text } }, id.toString());
}

describe('murmur as a process', () => {
  it(
    'prints results on stdout without colours when it is piped, and exits with the status of the error',
    async () => {
      cli.answer('ls', { error: { code: 'PERMISSION_DENIED', message: 'not yours' } });
      const run = promisify(execFile)(process.execPath, [BIN, 'ls'], { env: cli.env() });
      await expect(run).rejects.toMatchObject({ code: 3, stdout: '', stderr: 'murmur: not yours\n' });
    },
    TIMEOUT_MS,
  );

  it(
    'ends silently when its reader has seen enough',
    async () => {
      const lines = Array.from({ length: 2_000 }, (_, index) => entry(index + 1, 'x'.repeat(500))).join('');
      cli.answer('session_watch', { stream: `${lines}:hold\n\n` });
      const shell = `"${process.execPath}" "${BIN}" session watch a 2>&1 >&3 3>&- | cat >&2`;
      const command = `{ ${shell}; } 3>&1 | head -n 1`;
      const { stderr, stdout } = await promisify(execFile)('sh', ['-c', command], { env: cli.env() });
      expect(stdout).toContain('x'.repeat(500));
      expect(stderr).toBe('watching a …\n');
    },
    TIMEOUT_MS,
  );

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'ends with the shell status of %s, telling where to resume',
    async (signal, status) => {
      cli.answer('session_watch', { stream: `${entry(7, 'hello')}:hold\n\n` });
      const child = spawn(process.execPath, [BIN, 'session', 'watch', 'a'], { env: cli.env() });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      const exit = once(child, 'exit');
      await once(child.stdout, 'data');
      child.kill(signal);
      expect(await exit).toEqual([status, null]);
      expect(stderr).toContain('last event: 7');
    },
    TIMEOUT_MS,
  );

  it(
    'reads a secret from standard input',
    async () => {
      cli.answer('spawn', { body: { slug: 'a', workspace: 'default', path: 'p', phase: 'starting', vm: 'm' } });
      const args = [BIN, 'spawn', 'a', 'x', '--repo', 'https://h.example/x', '-e', 'KEY=-'];
      const child = spawn(process.execPath, args, { env: cli.env(), stdio: ['pipe', 'ignore', 'ignore'] });
      child.stdin.end('from-stdin\n');
      await once(child, 'exit');
      expect(cli.lastInput()['secrets']).toEqual({ KEY: 'from-stdin' });
    },
    TIMEOUT_MS,
  );
});
