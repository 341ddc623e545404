// The package as npm would publish it, for what is measured and tested as users get it.
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/** Bundling all entries takes some seconds; a busy machine many. */
const PACK_MS = 180_000;

/** The environment without what npm tells the script that it runs: that is about the checkout of the script. */
export function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('npm_')));
}

/** Packs a checkout into a folder, which is made when missing. Resolves with the path of the tarball. */
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
 * Unpacks a tarball into a folder, beside the dependencies that are installed in the checkout. Resolves with the path of
 * its `bin/murmur.js`. Edits of the sources do not reach it.
 */
export async function unpackPackage(tarball: string, checkout: string, folder: string): Promise<string> {
  await execa('tar', ['-xzf', tarball, '-C', folder]);
  const root = join(folder, 'package');
  await symlink(join(checkout, 'node_modules'), join(root, 'node_modules'));
  return join(root, 'bin', 'murmur.js');
}
