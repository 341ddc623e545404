import { readFile, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { execa } from 'execa';
import { PACKAGE_ROOT } from '../../config/package.ts';
import { cachedBundle } from '../../drivers/bundle-cache.ts';
import { RUNNER_SOURCES, runnerBundle } from '../../worker/runner-bundle.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';

const INPUTS = { name: 'thing', sources: ['contract/wire'], salt: ['1.0.0'] };

describe('cachedBundle', () => {
  it('builds once for the same content, and again for another', async () => {
    await using folder = await temporaryFolder();
    let builds = 0;
    const build = async (): Promise<string> => `build ${(builds += 1).toString()}`;
    const first = await cachedBundle(folder.path, INPUTS, build);
    expect(await cachedBundle(folder.path, INPUTS, build)).toBe(first);
    expect(await readFile(first, 'utf8')).toBe('build 1');
    expect(await cachedBundle(folder.path, { ...INPUTS, salt: ['1.0.1'] }, build)).not.toBe(first);
    expect(await cachedBundle(folder.path, { ...INPUTS, sources: ['contract/wire/errors.ts'] }, build)).not.toBe(first);
    expect(builds).toBe(3);
  });

  it('gives two concurrent processes the same complete file', async () => {
    await using folder = await temporaryFolder();
    const content = 'x'.repeat(1_000_000);
    let builds = 0;
    const build = async (): Promise<string> => ((builds += 1), content);
    const files = await Promise.all([1, 2, 3].map(() => cachedBundle(folder.path, INPUTS, build)));
    expect([new Set(files).size, builds]).toEqual([1, 1]);
    expect(await readFile(files[0] ?? '', 'utf8')).toBe(content);
  });

  it('removes only its own bundles that were unused for a week', async () => {
    await using folder = await temporaryFolder();
    const old = await cachedBundle(folder.path, { ...INPUTS, salt: ['old'] }, async () => '');
    const run = await cachedBundle(folder.path, { ...INPUTS, salt: ['old'], extension: 'cjs' }, async () => '');
    const other = await cachedBundle(folder.path, { ...INPUTS, name: 'other' }, async () => '');
    const longAgo = new Date(Date.now() - 8 * 24 * 60 * 60_000);
    for (const file of [old, run, other]) await utimes(file, longAgo, longAgo);
    const fresh = await cachedBundle(folder.path, INPUTS, async () => '');
    expect((await readdir(folder.path)).map((name) => join(folder.path, name)).sort()).toEqual([fresh, other].sort());
  });

  it('leaves no file when a build fails', async () => {
    await using folder = await temporaryFolder();
    await expect(cachedBundle(folder.path, INPUTS, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await readdir(folder.path)).toEqual([]);
  });
});

it("the runner's bundle consists only of the sources that are part of its fingerprint", async () => {
  const { metafile } = await build({
    entryPoints: [join(PACKAGE_ROOT, 'runner', 'main.ts')],
    ...{ bundle: true, platform: 'node', format: 'cjs', write: false, metafile: true, absWorkingDir: PACKAGE_ROOT },
  });
  const inputs = Object.keys(metafile.inputs);
  expect(inputs).toContain('runner/repositories/local-repository.ts');
  const isKnown = (file: string): boolean =>
    RUNNER_SOURCES.some((source) => file === source || file.startsWith(`${source}/`));
  expect(inputs.filter((file) => !isKnown(file))).toEqual([]);
}, 60_000);

it("the runner's bundle can be requested twice at once", async () => {
  await using folder = await temporaryFolder();
  const files = await Promise.all([1, 2].map(() => runnerBundle(folder.path)));
  expect(new Set(files).size).toBe(1);
}, 60_000);

it('the runner starts with any package.json in a parent folder', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'package.json'), '{"type":"module"}');
  const bundle = await runnerBundle(join(folder.path, 'cache'));
  const { stderr } = await execa(process.execPath, [bundle], { reject: false, timeout: 10_000 });
  expect(stderr).not.toContain('not defined');
}, 60_000);

it('the runner is one small file that imports only built-ins', async () => {
  await using folder = await temporaryFolder();
  const code = await readFile(await runnerBundle(folder.path), 'utf8');
  const imports = [...code.matchAll(/\brequire\("([^"]+)"\)/g)].map((match) => match[1] ?? '');
  expect(imports.length).toBeGreaterThan(0);
  expect(imports.filter((name) => !name.startsWith('node:'))).toEqual([]);
  // Every spawn starts a runner.
  expect(code.length).toBeLessThan(600_000);
});
