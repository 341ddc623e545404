// Packs the package like npm, so that tests and the benchmark run what users get.
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/** Bundling all entries takes some seconds, on a busy machine many. In milliseconds. */
const PACK_MS = 180_000;

/** The environment without npm's variables, which are about the checkout of the running script. */
export function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('npm_')));
}

/** Packs a checkout into a folder, which is created if missing. Resolves with the path of the tarball. */
export async function packPackage(checkout: string, folder: string, cancelSignal?: AbortSignal): Promise<string> {
  await mkdir(folder, { recursive: true });
  const options = {
    cwd: checkout,
    env: withoutNpm(process.env),
    extendEnv: false,
    timeout: PACK_MS,
    stdin: 'ignore',
  } as const;
  const cancel = cancelSignal === undefined ? {} : { cancelSignal };
  await execa('npm', ['pack', '--silent', '--pack-destination', folder], { ...options, ...cancel });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error(`npm pack made no tarball in ${folder}`);
  return join(folder, tarball);
}

/**
 * Unpacks a tarball into a folder, with a link to the checkout's dependencies. Resolves with the path of its
 * `bin/murmur.js`. Later edits of the sources do not affect it.
 */
export async function unpackPackage(tarball: string, checkout: string, folder: string): Promise<string> {
  await execa('tar', ['-xzf', tarball, '-C', folder]);
  const root = join(folder, 'package');
  await symlink(join(checkout, 'node_modules'), join(root, 'node_modules'));
  return join(root, 'bin', 'murmur.js');
}
