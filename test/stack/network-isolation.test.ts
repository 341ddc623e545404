// Hosts that lack tools or rights to make a network namespace. Only root can take these away.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { findTool } from '../../runner/isolation/namespace-tools.ts';
import type { NetworkIsolation } from '../../stack/network/isolation.ts';
import { asRoot } from '../runner/isolation/variants.ts';

const LIMIT_MS = 60_000;
const FIND = [process.execPath, join(import.meta.dirname, 'programs', 'find-network-isolation.ts')];
const test = asRoot.isPossible ? it : it.skip;

/** Runs a script whose arguments are the command that finds the network isolation. */
async function found(script: string): Promise<NetworkIsolation> {
  const { stdout } = await promisify(execFile)('unshare', ['--mount', 'sh', '-c', script, 'sh', ...FIND]);
  return JSON.parse(stdout) as NetworkIsolation;
}

/** Address, user id and umask of a program that runs in the network namespace. */
async function runInside(network: NetworkIsolation): Promise<readonly string[]> {
  if ('open' in network) return [network.open];
  const [program = '', ...args] = [...network.command, 'sh', '-c', 'cat /proc/net/fib_trie; id -u; umask'];
  const { stdout } = await promisify(execFile)(program, args);
  const local = stdout.includes('127.0.0.1') ? '127.0.0.1' : 'none';
  return [local, ...stdout.trim().split('\n').slice(-2)];
}

const coverAll = ['ip', 'ifconfig']
  .flatMap((name) => findTool(name) ?? [])
  .map((path) => `mount --bind /bin/false ${path}`);

describe('a network namespace with its own loopback interface', () => {
  test(
    'is made without iproute2 and net-tools',
    async () => {
      const network = await found([...coverAll, 'exec "$@"'].join(' && '));
      expect(network).toMatchObject({ command: expect.arrayContaining(['--mount']) });
      expect(await runInside(network)).toEqual(['127.0.0.1', '0', '0077']);
    },
    LIMIT_MS,
  );

  test(
    'is made by a root user without CAP_NET_ADMIN, and only that user can read its new files',
    async () => {
      const network = await found('exec setpriv --bounding-set=-net_admin --inh-caps=-net_admin -- "$@"');
      expect(network).toMatchObject({ command: expect.arrayContaining(['--user']) });
      expect(await runInside(network)).toEqual(['127.0.0.1', '0', '0077']);
    },
    LIMIT_MS,
  );

  test(
    'is not made where namespaces do not work, and the reason is given',
    async () => {
      const all = [...coverAll, 'mount --bind /bin/false /usr/bin/unshare'];
      const network = await found([...all, 'exec "$@"'].join(' && '));
      expect(network).toEqual({ open: expect.stringContaining('namespaces do not work here') });
    },
    LIMIT_MS,
  );
});
