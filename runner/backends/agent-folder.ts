// Files in folders that an agent can change while we access them with more rights. Each folder is opened relative to
// its open parent, so no symbolic link is followed, even if the agent adds one meanwhile. Built-ins only.
import { closeSync, constants, fchownSync, fstatSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { readlinkSync, realpathSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** An open folder. `path` always leads to this folder, also after the agent moves it. */
export interface OpenFolder {
  readonly path: string;
  close(): void;
}

/** Create missing folders, owned by `user`, or by the caller when it is undefined. */
export interface MakeFolders {
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Opens the nested folder `names` below `base`. The agent must not be able to change the path of `base`. Throws the
 * system's error when a folder is a link, or is missing and `make` is not given.
 */
export function openFolder(base: string, names: readonly string[], make?: MakeFolders): OpenFolder {
  let descriptor = openSync(base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  let path = pathOf(descriptor, base);
  try {
    for (const name of names) {
      const next = join(path, name);
      const isNew = make !== undefined && makeOne(next);
      const inner = openSync(next, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      closeSync(descriptor);
      descriptor = inner;
      path = pathOf(descriptor, next);
      if (isNew && make.user !== undefined) fchownSync(descriptor, make.user.uid, make.user.gid);
    }
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return { path, close: () => closeSync(descriptor) };
}

/** Runs `use` in the folder of `openFolder`. */
export function inFolder<Result>(
  base: string,
  names: readonly string[],
  use: (path: string) => Result,
  make?: MakeFolders,
): Result {
  const folder = openFolder(base, names, make);
  try {
    return use(folder.path);
  } finally {
    folder.close();
  }
}

/** Opens a regular file. Throws for any other, and for one with several hard links: it may be another user's file. */
export function openFile(path: string, flags: number): number {
  // NONBLOCK: otherwise, opening a pipe waits for ever.
  const descriptor = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600);
  const found = fstatSync(descriptor);
  if (found.isFile() && found.nlink <= 1) return descriptor;
  closeSync(descriptor);
  throw new Error(`${path} is not a file of its own`);
}

/** Whether the open file lies below the folder, also if its path contained links when it was opened. */
export function liesBelow(descriptor: number, file: string, folder: string): boolean {
  if (lstatSync(folder).isSymbolicLink()) return false;
  const real = process.platform === 'linux' ? readlinkSync(`/proc/self/fd/${descriptor}`) : realpathSync(file);
  return isBelow(relative(realpathSync(folder), real));
}

/** Whether a relative path stays below its start. */
export function isBelow(path: string): boolean {
  return path !== '' && !path.startsWith(sep) && path.split(sep)[0] !== '..';
}

/** Only on Linux can an agent have fewer rights than the runner. */
function pathOf(descriptor: number, path: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${descriptor}` : path;
}

/** Creates the folder; false when the name is already taken. */
function makeOne(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
