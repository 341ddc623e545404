import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { identityOf } from '../../stack/process.ts';
import { installPublished, type PublishedPackage } from './published.ts';

/** Build, installation and a start of the whole stack, on two slow cores. */
const TIMEOUT_MS = 600_000;

let published: PublishedPackage;
let home: string;

beforeAll(async () => {
  published = await installPublished();
  home = join(published.folder, 'home');
  await mkdir(home);
}, TIMEOUT_MS);
afterAll(async () => {
  await murmur('down');
  await published.remove();
}, TIMEOUT_MS);

async function murmur(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env, MURMUR_HOME: home, MURMUR_API_URL: '', MURMUR_TOKEN: '', TEMPORAL_ADDRESS: '' };
  return promisify(execFile)(published.bin, args, { cwd: published.folder, env, timeout: TIMEOUT_MS });
}

describe('the published package', () => {
  it('holds bundles and what builds Temporal, and no sources or tests', () => {
    const { files } = published;
    for (const file of ['bin/murmur.js', 'dist/cli.js', 'dist/runner.js', 'dist/workflows.js', 'temporal-dev.yaml']) {
      expect(files).toContain(file);
    }
    expect(files).toEqual(expect.arrayContaining(['tools/temporal/go.mod', 'tools/temporal/go.sum']));
    expect(files.filter((file) => file.endsWith('.ts') || file.startsWith('test/'))).toEqual([]);
  });

  it('has a CLI without zod, and a runner on built-ins alone', async () => {
    const dist = join(published.folder, 'node_modules', 'murmur', 'dist');
    expect(await readFile(join(dist, 'cli.js'), 'utf8')).not.toMatch(/node_modules\/(zod|pino|fastify)\//);
    const runner = await readFile(join(dist, 'runner.js'), 'utf8');
    const imported = [...runner.matchAll(/^import[^'"]*from ?['"]([^'"]+)['"]/gm)].map(([, name]) => name ?? '');
    expect(imported.filter((name) => !name.startsWith('node:'))).toEqual([]);
  });

  it('tells its version and the commit that it was built from', async () => {
    const { stdout } = await murmur('version', '--client');
    expect(stdout).toMatch(/^Client: \d+\.\d+\.\d+ \([0-9a-f]{8}\)\n$/);
  });

  it('has the help of every command', async () => {
    const { stdout } = await murmur('session', 'watch', '--help');
    expect(stdout).toContain('$ murmur session watch fix-auth');
  });

  it(
    'starts a stack of its own, answers, and stops without leaving anything',
    async () => {
      const auto = ['--api-port', 'auto', '--temporal-port', 'auto', '--temporal-ui-port', 'auto'];
      const { stdout } = await murmur('up', '--json', ...auto);
      const { supervisor } = JSON.parse(stdout) as { readonly supervisor: number };
      expect((await murmur('version')).stdout).toMatch(/^Server: +\d+\.\d+\.\d+/m);
      expect((await murmur('ls', '--json')).stdout).toBe('[]\n');
      expect((await murmur('down')).stdout).toBe('stopped\n');
      expect(await identityOf(supervisor)).toBeUndefined();
    },
    TIMEOUT_MS,
  );
});
