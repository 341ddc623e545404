// The package as npm would publish it. Imports Node built-ins and run.
import { mkdir, readdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { run } from './run.ts';

/** Bundling all entries takes some seconds; a busy machine many. */
const PACK_MS = 180_000;

/**
 * Unpacks an `npm pack` below the directory, beside the dependencies that are installed here. Resolves with the path of
 * its `bin/murmur.js`. What is measured is what users get, and edits of the sources meanwhile do not reach it.
 */
export async function publish(packageRoot: string, directory: string): Promise<string> {
  const target = path.join(directory, 'published');
  await mkdir(target, { recursive: true });
  await run('npm', ['pack', '--silent', '--pack-destination', target], { cwd: packageRoot, timeoutMs: PACK_MS });
  const tarball = (await readdir(target)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack made no tarball');
  await run('tar', ['-xzf', tarball], { cwd: target, timeoutMs: PACK_MS });
  const root = path.join(target, 'package');
  await symlink(path.join(packageRoot, 'node_modules'), path.join(root, 'node_modules'));
  return path.join(root, 'bin', 'murmur.js');
}
