import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cachedBinary, makeCached } from '../../../stack/temporal/cache.ts';
import { findTemporal, lookUpTemporal } from '../../../stack/temporal/find.ts';

/** An address that refuses connections at once, like a missing network. */
const NO_NETWORK = 'http://127.0.0.1:9';

let folder: string;
const progress: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'murmur-find-'));
  progress.length = 0;
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function program(path: string, body: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

const says = (server: string): string => `echo 'temporal version 1.8.2 (Server ${server}, UI 2.50.1)'`;

function options(path: string) {
  return {
    env: { PATH: path, HOME: folder },
    cacheDirs: [join(folder, 'cache'), join(folder, 'home-cache')],
    packageRoot: folder,
    onProgress: (message: string) => progress.push(message),
    downloadUrl: NO_NETWORK,
  };
}

describe('looking for Temporal', () => {
  it('uses `temporal` on PATH when its version is supported', async () => {
    const path = await program(join(folder, 'bin', 'temporal'), says('1.31.2'));
    await program(cachedBinary(join(folder, 'cache')), says('1.31.2'));
    expect(await findTemporal(options(join(folder, 'bin')))).toEqual({ path, source: 'PATH', version: '1.31.2' });
  });

  it.each([
    ['1.20.0', 'is Temporal server 1.20.0'],
    ['2.0.0', 'is Temporal server 2.0.0'],
  ])('ignores version %s on PATH and uses a cached one', async (version, problem) => {
    await program(join(folder, 'bin', 'temporal'), says(version));
    const path = await program(cachedBinary(join(folder, 'home-cache')), says('1.31.2'));
    const { found, rejected } = await lookUpTemporal(options(join(folder, 'bin')));
    expect(found).toEqual({ path, source: 'cache', version: '1.31.2' });
    expect(rejected.join()).toContain(problem);
  });

  it('without network and Go names everything that was tried and what to do', async () => {
    await program(join(folder, 'bin', 'temporal'), 'exit 3');
    await expect(findTemporal(options(join(folder, 'bin')))).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(/temporal does not run; nothing in .*; download: .*; build: no `go` on PATH/),
      hint: expect.stringContaining('TEMPORAL_ADDRESS'),
    });
  });

  it('builds with Go, shows progress, and finds the result the next time', async () => {
    await mkdir(join(folder, 'tools', 'temporal'), { recursive: true });
    const built = says('1.31.2').replaceAll("'", String.raw`'\''`);
    const go = `if [ "$1" = list ]; then echo a; echo b; exit 0; fi
while [ "$1" != -o ]; do shift; done
echo compiled-package >&2
printf '#!/bin/sh\n%s\n' '${built}' > "$2" && /bin/chmod 755 "$2"`;
    await program(join(folder, 'bin', 'go'), go);
    const found = await findTemporal(options(join(folder, 'bin')));
    expect(found.source).toBe('build');
    expect(progress.join('\n')).toMatch(/building Temporal CLI 1\.8\.2 with Go[\s\S]*1 of at most 2 packages/);
    expect((await findTemporal(options(join(folder, 'bin')))).source).toBe('cache');
  });

  it("reports the compiler's output when the build fails", async () => {
    await mkdir(join(folder, 'tools', 'temporal'), { recursive: true });
    await program(join(folder, 'bin', 'go'), 'echo no such module >&2; exit 1');
    await expect(findTemporal(options(join(folder, 'bin')))).rejects.toThrow(/build: .*no such module/);
  });
});

describe('making a binary', () => {
  it('happens once for two concurrent processes', async () => {
    let makes = 0;
    const make = async (target: string): Promise<void> => {
      makes += 1;
      await program(target, 'exit 0');
    };
    const paths = await Promise.all([1, 2, 3].map(() => makeCached(folder, make)));
    expect(makes).toBe(1);
    expect(new Set(paths)).toEqual(new Set([cachedBinary(folder)]));
  });

  it('leaves no files when it fails, and can be repeated', async () => {
    await expect(makeCached(folder, () => Promise.reject(new Error('full disk')))).rejects.toThrow('full disk');
    await makeCached(folder, async (target) => {
      await program(target, 'exit 0');
    });
    expect((await readdir(folder)).filter((name) => name.includes('tmp'))).toEqual([]);
  });

  it('works after another maker was killed with SIGKILL', async () => {
    const cache = join(import.meta.dirname, '..', '..', '..', 'stack', 'temporal', 'cache.ts');
    const source = `import { makeCached } from ${JSON.stringify(cache)};
await makeCached(${JSON.stringify(folder)}, () => { console.log('making'); return new Promise(() => setInterval(() => 0, 1000)); });`;
    const maker = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(maker.stdout, 'data');
    maker.kill('SIGKILL');
    await once(maker, 'exit');
    let waited = false;
    const path = await makeCached(
      folder,
      async (target) => {
        await program(target, 'echo second');
      },
      () => (waited = true),
    );
    expect(waited).toBe(true);
    expect(await readFile(path, 'utf8')).toContain('second');
    expect((await readdir(folder)).filter((name) => name.includes('tmp'))).toEqual([]);
  }, 120_000);
});
