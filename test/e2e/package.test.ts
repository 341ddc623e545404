// The package as users get it: packed, installed elsewhere, and working without the checkout.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { startScriptedModel, type ScriptedModel } from '../../demo/model/scripted-model.ts';
import { makeSample, type Sample } from '../../demo/sample.ts';
import type { StackRecord } from '../../contract/stack.ts';
import { withoutNpm } from '../../scripts/test/package.ts';
import { identityOf } from '../../stack/process.ts';
import { bash, scripted, type AgentStatus } from './fixtures/agent.ts';
import { installPublished, type PublishedPackage } from './fixtures/published.ts';
import { ROOT } from '../fixtures/program-under-test.ts';

/** Limit for build, installation and start of the stack, on two slow cores. */
const TIMEOUT_MS = 600_000;

let published: PublishedPackage;
let home: string;
let model: ScriptedModel;
let sample: Sample;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  published = await installPublished();
  home = join(published.folder, 'home');
  model = await startScriptedModel();
  sample = await makeSample(published.folder);
  env = {
    ...withoutNpm(process.env),
    // A user's PATH, without the checkout's programs and Node.
    PATH: (process.env['PATH'] ?? '')
      .split(delimiter)
      .filter((folder) => !folder.startsWith(ROOT))
      .join(delimiter),
    MURMUR_CLAUDE: join(ROOT, 'node_modules', '.bin', 'claude'),
    NODE_OPTIONS: '',
    FORCE_COLOR: '',
    MURMUR_HOME: home,
    MURMUR_API_URL: '',
    MURMUR_TOKEN: '',
    MURMUR_AGENT_FILE: '',
    TEMPORAL_ADDRESS: '',
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'key-of-the-tests',
  };
}, TIMEOUT_MS);
afterAll(async () => {
  await murmur('down');
  await model.stop();
  await published.remove();
}, TIMEOUT_MS);

/** The output of the installed program. Throws if it fails. */
async function murmur(...args: string[]): Promise<string> {
  const options = { cwd: sample.checkout, env, extendEnv: false, timeout: TIMEOUT_MS, stdin: 'ignore' } as const;
  return (await execa(published.bin, args, options)).stdout;
}

/** Small Linux systems have no `ps`, others no /proc. */
async function commandLine(pid: number): Promise<string> {
  const file = `/proc/${String(pid)}/cmdline`;
  if (existsSync(file)) return await readFile(file, 'utf8');
  return (await execa('ps', ['-ww', '-o', 'args=', '-p', String(pid)])).stdout;
}

describe('the published package', () => {
  it('contains bundles and the build of Temporal, but no sources or tests', () => {
    const { files } = published;
    for (const file of ['bin/murmur.js', 'dist/cli.js', 'dist/runner.cjs', 'dist/workflows.js', 'temporal-dev.yaml']) {
      expect(files).toContain(file);
    }
    expect(files).toEqual(expect.arrayContaining(['tools/temporal/go.mod', 'tools/temporal/go.sum']));
    expect(files.filter((file) => /\.ts$|\.map$|^(?:test|demo|bench|docs)\/|^\./.test(file))).toEqual([]);
  });

  it('has a CLI without zod, and a runner that uses only built-ins', async () => {
    const dist = join(published.folder, 'node_modules', 'murmur', 'dist');
    expect(await readFile(join(dist, 'cli.js'), 'utf8')).not.toMatch(/node_modules\/(zod|pino|fastify)\//);
    const runner = await readFile(join(dist, 'runner.cjs'), 'utf8');
    const imported = [...runner.matchAll(/\brequire\(['"]([^'"]+)['"]\)/g)].map(([, name]) => name ?? '');
    expect(imported).toContain('node:http');
    expect(imported.filter((name) => !name.startsWith('node:'))).toEqual([]);
  });

  it('prints its version and the commit of its build', async () => {
    expect(await murmur('version', '--client')).toMatch(/^Client: \d+\.\d+\.\d+ \([0-9a-f]{8}\)$/);
  }, 60_000);

  it('has the help of every command', async () => {
    expect(await murmur('session', 'watch', '--help')).toContain('$ murmur session watch fix-auth');
  }, 60_000);

  it(
    'starts a stack of its own, takes an agent from spawn to a pushed branch, and stops without leaving anything',
    async () => {
      const auto = ['--api-port', 'auto', '--temporal-port', 'auto', '--temporal-ui-port', 'auto'];
      const { supervisor } = JSON.parse(await murmur('up', '--json', ...auto)) as { readonly supervisor: number };
      expect(await murmur('version')).toMatch(/^Server: +\d+\.\d+\.\d+/m);
      expect(await murmur('ls', '--json')).toBe('[]');

      const { children } = JSON.parse(await readFile(join(home, 'stack.json'), 'utf8')) as StackRecord;
      for (const child of [children.worker, children.server]) {
        const words = await commandLine(child?.pid ?? 0);
        expect(words).toContain(join(published.folder, 'node_modules', 'murmur', 'dist'));
        expect(words).not.toContain(ROOT);
      }

      const commit = bash('echo note > note.txt && git add note.txt && git commit -qm "Add a note"');
      const push = bash('git push -q origin HEAD && murmur status --json');
      const look = { tool: 'mcp__murmur__ls', input: {} };
      const prompt = scripted('Add a note.', commit, push, look, { text: 'The note is pushed.' });
      await murmur('spawn', 'add-note', prompt, '--out', 'push');
      const status = JSON.parse(await murmur('wait', 'add-note', '--json')) as AgentStatus;
      expect(status).toMatchObject({ phase: 'idle', response: 'The note is pushed.', commits: 1 });
      // The agent has Murmur on its PATH and as tools.
      const results = model.requests.flatMap(({ toolResults }) => toolResults.map(({ text }) => text));
      expect(results).toContainEqual(expect.stringContaining(status.workflow));
      expect(results).toContain('{"agents":[]}');
      const branch = status.branches[0]?.branch ?? '';
      expect((await execa('git', ['log', '-1', '--format=%s', branch], { cwd: sample.origin })).stdout).toBe(
        'Add a note',
      );
      expect((await murmur('kill', 'add-note')).split('\n')[0]).toBe('killed add-note');

      expect(await murmur('down')).toBe('stopped');
      expect(await identityOf(supervisor)).toBeUndefined();
      expect(existsSync(join(home, 'machines', status.vm?.name ?? ''))).toBe(false);
    },
    TIMEOUT_MS,
  );
});
