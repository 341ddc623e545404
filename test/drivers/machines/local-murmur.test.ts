// `murmur` on the machines of a checkout's host.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import { execa } from 'execa';
import { homePaths, userCacheFolder } from '../../../config/home.ts';
import { PACKAGE_ROOT } from '../../../config/package.ts';
import { describeTools } from '../../../contract/mcp.ts';
import { bundledMurmur } from '../../../drivers/machines/local/murmur.ts';
import { murmurBuild } from '../../../drivers/shipment/build.ts';
import { MURMUR_SOURCES, murmurShipment } from '../../../drivers/shipment/murmur.ts';
import { detectIsolation } from '../../../runner/isolation/detect.ts';
import { createIsolation } from '../../../runner/isolation/isolation.ts';
import { runnerBundle } from '../../../worker/runner-bundle.ts';
import { creation } from '../../fixtures/creation.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { localMachines, type LocalMachines } from './local-machines.ts';

/** Two programs are bundled on two slow cores. */
const BUILD_MS = 120_000;
const cache = userCacheFolder(process.env);
const { kind } = await detectIsolation('auto');

/** What a client sends until it has the tools. */
const ASKING_FOR_TOOLS = [
  {
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
  },
  { method: 'notifications/initialized' },
  { id: 2, method: 'tools/list', params: {} },
].map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

describe.each([...new Set([kind, 'tracking'] as const)])('a machine of a checkout (%s)', (isolation) => {
  let local: LocalMachines;
  let work: string;
  let program: string;
  beforeAll(async () => {
    // Nobody else may read what an umask of 077 lets be written.
    local = await localMachines({
      isolation,
      murmur: async (home) => {
        await mkdir(home.programs, { mode: 0o700 });
        return await bundledMurmur(home, cache);
      },
    });
    await local.provider.create({ name: 'murmur-1', labels: {} }, creation());
    work = join(local.home.machines, 'murmur-1', 'work');
    program = (await readFile(join(local.home.machines, 'murmur-1', 'bin', 'murmur'), 'utf8')).split("'")[3] ?? '';
  }, BUILD_MS);
  afterAll(async () => local[Symbol.asyncDispose]());

  /** Runs a script as the agent. */
  async function agent(script: string, input: readonly string[] = []): Promise<string> {
    const { spawn } = createIsolation(await local.provider.isolationOf('murmur-1'));
    const env = { PATH: `${join(local.home.machines, 'murmur-1', 'bin')}:${process.env['PATH'] ?? ''}`, HOME: work };
    const child = spawn('/bin/sh', ['-c', `exec 2>&1; ${script}`], { cwd: work, env });
    child.stdin.end(input.join(''));
    return await text(child.stdout);
  }

  it('runs murmur from bundles', async () => {
    expect(dirname(dirname(dirname(program)))).toBe(local.home.programs);
    expect(await readdir(join(dirname(program), '..', 'dist'))).toEqual(['cli.js', 'mcp.js']);
  });

  it('has the same version of it as the sources', async () => {
    const { stdout } = await execa(process.execPath, [join(PACKAGE_ROOT, 'bin', 'murmur.js'), 'version', '--client']);
    expect((await agent('murmur version --client')).trim()).toBe(stdout);
  });

  it('has no stack in it, and says so', async () => {
    // Not in the folder of the machine, above which is the configuration of this host.
    const output = await agent('cd /; murmur up');
    expect(output).toMatch(/^murmur: an agent's murmur starts no stack: \S+\/dist\/supervisor\.js does not exist$/m);
  });

  it("gives the agent program murmur's tools", async () => {
    const lines = (await agent('murmur mcp', ASKING_FOR_TOOLS)).trim().split('\n');
    const answers = lines.map((line) => JSON.parse(line) as { id: number; result: { tools?: { name: string }[] } });
    const tools = answers.find(({ id }) => id === 2)?.result.tools ?? [];
    expect(tools.map(({ name }) => name)).toEqual(describeTools().map(({ name }) => name));
  });

  // Tracking does not hold agents apart from what the owner can write.
  (isolation === 'namespace' ? it : it.skip)('does not let the agent change it', async () => {
    const folder = join(dirname(program), '..');
    const before = await readFile(join(folder, 'dist', 'mcp.js'), 'utf8');
    await agent(
      `echo x >>${folder}/dist/mcp.js; chmod 777 ${folder}/dist; touch ${folder}/dist/new; mv ${folder} ${folder}.old`,
    );
    expect(await readFile(join(folder, 'dist', 'mcp.js'), 'utf8')).toBe(before);
    expect(await readdir(join(folder, 'dist'))).toEqual(['cli.js', 'mcp.js']);
  });
});

it(
  'bundles of earlier builds stay while a machine starts murmur from them',
  async () => {
    await using folder = await temporaryFolder();
    const home = homePaths(folder.path);
    const then = new Date(Date.now() - 2 * 60 * 60_000);
    const [used, unused] = ['a', 'b'].map((digit) => join(home.programs, digit.repeat(16)));
    for (const each of [used ?? '', unused ?? '']) {
      await mkdir(each, { recursive: true });
      await utimes(each, then, then);
    }
    const bin = join(home.machines, 'murmur-1', 'bin');
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, 'murmur'), `#!/bin/sh\nexec 'node' '${used ?? ''}/bin/murmur.js' "$@"\n`);
    const program = await bundledMurmur(home, cache);
    const left = [dirname(dirname(program)), used].map((each) => join(each ?? ''));
    expect((await readdir(home.programs)).map((name) => join(home.programs, name)).sort()).toEqual(left.sort());
    // The second start finds the bundles.
    expect(await bundledMurmur(home, cache)).toBe(program);
  },
  BUILD_MS,
);

it(
  'bundles that cannot be written are an error that names the file',
  async () => {
    await using folder = await temporaryFolder();
    const home = homePaths(folder.path);
    await writeFile(home.programs, '');
    await expect(bundledMurmur(home, cache)).rejects.toThrow(home.programs);
  },
  BUILD_MS,
);

it(
  'murmur and a runner can be bundled at once',
  async () => {
    await using folder = await temporaryFolder();
    const [files] = await Promise.all([murmurShipment(folder.path), runnerBundle(folder.path)]);
    expect(Object.keys(files).sort()).toEqual(['bin/murmur.js', 'dist/cli.js', 'dist/mcp.js', 'package.json']);
  },
  BUILD_MS,
);

it.each([
  ['cli', 'zod'],
  ['mcp', 'ajv'],
] as const)(
  'the bundle of %s consists only of the sources that are part of its fingerprint, and has no %s',
  async (program, heavy) => {
    const { metafile } = await build({
      ...murmurBuild(program),
      ...{ entryPoints: [`${program}/main.ts`], absWorkingDir: PACKAGE_ROOT },
      ...{ bundle: true, platform: 'node', format: 'esm', write: false, metafile: true },
    });
    const inputs = Object.keys(metafile?.inputs ?? {});
    const own = inputs.filter((file) => !/^lazy:|node_modules\//.test(file));
    expect(own).toContain(`${program}/main.ts`);
    const isKnown = (file: string): boolean =>
      MURMUR_SOURCES.some((source) => file === source || file.startsWith(`${source}/`));
    expect(own.filter((file) => !isKnown(file))).toEqual([]);
    expect(inputs.filter((file) => file.startsWith(`node_modules/${heavy}/`))).toEqual([]);
  },
  BUILD_MS,
);
