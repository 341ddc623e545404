// Hosts on which the usual ways to create a network namespace do not work. Only root can remove tools and rights.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { findTool } from '../../runner/isolation/namespace-tools.ts';
import type { Wall } from '../../stack/wall/find.ts';
import { asRoot } from '../runner/isolation/variants.ts';

const LIMIT_MS = 60_000;
const FIND = [process.execPath, join(import.meta.dirname, 'programs', 'find-wall.ts')];
const test = asRoot.isPossible ? it : it.skip;

/** Runs a script whose arguments are the command that calls `findWall`. */
async function found(script: string): Promise<Wall> {
  const { stdout } = await promisify(execFile)('unshare', ['--mount', 'sh', '-c', script, 'sh', ...FIND]);
  return JSON.parse(stdout) as Wall;
}

/** The interface and the user that a program in the namespace sees. */
async function behind(wall: Wall): Promise<readonly string[]> {
  if ('open' in wall) return [wall.open];
  const [program = '', ...args] = [...wall.command, 'sh', '-c', 'cat /proc/net/fib_trie; id -u; umask'];
  const { stdout } = await promisify(execFile)(program, args);
  const local = stdout.includes('127.0.0.1') ? '127.0.0.1' : 'none';
  return [local, ...stdout.trim().split('\n').slice(-2)];
}

const coverAll = ['ip', 'ifconfig']
  .flatMap((name) => findTool(name) ?? [])
  .map((path) => `mount --bind /bin/false ${path}`);

describe('a network namespace with its own loopback interface', () => {
  test(
    'is created without iproute2 and net-tools',
    async () => {
      const wall = await found([...coverAll, 'exec "$@"'].join(' && '));
      expect(wall).toMatchObject({ command: expect.arrayContaining(['--mount']) });
      expect(await behind(wall)).toEqual(['127.0.0.1', '0', '0077']);
    },
    LIMIT_MS,
  );

  test(
    'is created by a root that may not configure networks, and its files still belong to root',
    async () => {
      const wall = await found('exec setpriv --bounding-set=-net_admin --inh-caps=-net_admin -- "$@"');
      expect(wall).toMatchObject({ command: expect.arrayContaining(['--user']) });
      expect(await behind(wall)).toEqual(['127.0.0.1', '0', '0077']);
    },
    LIMIT_MS,
  );

  test(
    'is not created if no way works, and the reason is reported',
    async () => {
      const all = [...coverAll, 'mount --bind /bin/false /usr/bin/unshare'];
      const wall = await found([...all, 'exec "$@"'].join(' && '));
      expect(wall).toEqual({ open: expect.stringContaining('namespaces do not work here') });
    },
    LIMIT_MS,
  );
});
