// The package as npm would publish it. Imports Node built-ins and run.
import { mkdir, readdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { run } from './run.ts';

/** Bundling all entries takes some seconds; a busy machine many. */
const PACK_MS = 180_000;

let packed: Promise<string> | undefined;

/**
 * Path of `bin/murmur.js` in an unpacked `npm pack`, beside the dependencies that are installed here. Packed once in a
 * process; the directory must outlive the measures.
 */
export function publishedBin(packageRoot: string, directory: string): Promise<string> {
  packed ??= pack(packageRoot, path.join(directory, 'published'));
  return packed;
}

async function pack(packageRoot: string, target: string): Promise<string> {
  await mkdir(target, { recursive: true });
  await run('npm', ['pack', '--silent', '--pack-destination', target], { cwd: packageRoot, timeoutMs: PACK_MS });
  const tarball = (await readdir(target)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack made no tarball');
  await run('tar', ['-xzf', tarball], { cwd: target, timeoutMs: PACK_MS });
  const root = path.join(target, 'package');
  await symlink(path.join(packageRoot, 'node_modules'), path.join(root, 'node_modules'));
  return path.join(root, 'bin', 'murmur.js');
}
