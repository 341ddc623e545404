// The package as users get it: packed, and installed in a folder of its own.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './imports.ts';

/** Packing builds all bundles; installing fetches what npm's cache does not have. */
const STEP_MS = 240_000;

export interface PublishedPackage {
  /** A folder with node_modules/murmur. */
  readonly folder: string;
  /** node_modules/.bin/murmur there. */
  readonly bin: string;
  /** Names of the files in the tarball. */
  readonly files: readonly string[];
  remove(): Promise<void>;
}

/** Packs the checkout and installs the tarball elsewhere, without development dependencies. */
export async function installPublished(): Promise<PublishedPackage> {
  const folder = await mkdtemp(join(tmpdir(), 'murmur-published-'));
  const { stdout } = await npm(['pack', '--json', '--pack-destination', folder], ROOT);
  const files = packedFiles(stdout);
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  await writeFile(join(folder, 'package.json'), '{ "name": "elsewhere", "private": true }\n');
  await npm(['install', '--prefer-offline', '--no-audit', '--no-fund', join(folder, tarball)], folder);
  return {
    folder,
    bin: join(folder, 'node_modules', '.bin', 'murmur'),
    files,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function npm(args: readonly string[], cwd: string) {
  // What npm put into the environment of the test run is about the checkout.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
  return promisify(execFile)('npm', args, { cwd, env, timeout: STEP_MS, maxBuffer: 64 * 1024 * 1024 });
}

/** The build may print before the answer; its shape differs between versions of npm. */
function packedFiles(stdout: string): readonly string[] {
  const text = stdout.slice(stdout.search(/^[[{]/m));
  const answer = JSON.parse(text) as Record<string, { readonly files: readonly { readonly path: string }[] }>;
  return Object.values(answer).flatMap(({ files }) => files.map(({ path }) => path));
}
