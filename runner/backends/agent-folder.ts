// Files in folders that an agent can rearrange while we work there with more rights: each folder is reached from the open
// one before it, so that no link is followed, whenever it was put in the way. Built-ins only.
import { closeSync, constants, fchownSync, fstatSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { readlinkSync, realpathSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** A folder that is open: what is done at `path` is done in this very folder, wherever it is moved. */
export interface OpenFolder {
  readonly path: string;
  close(): void;
}

/** Whose the folders are to be that are made; the caller's when `user` is undefined. */
export interface MakeFolders {
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Opens the folder with these names below `base`, one in the other, whose own path must not be the agent's to change.
 * Throws what the system says when one is missing, unless they are to be made, or is a link.
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

/** What `use` does in the folder of `openFolder`. */
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

/** Opens a regular file with one name only: another's file can be linked into a folder. Throws when it is none. */
export function openFile(path: string, flags: number): number {
  // NONBLOCK: opening a pipe would wait for ever.
  const descriptor = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600);
  const found = fstatSync(descriptor);
  if (found.isFile() && found.nlink <= 1) return descriptor;
  closeSync(descriptor);
  throw new Error(`${path} is not a file of its own`);
}

/** Whether the open file lies below the folder, whatever links its path had when it was opened. */
export function liesBelow(descriptor: number, file: string, folder: string): boolean {
  if (lstatSync(folder).isSymbolicLink()) return false;
  const real = process.platform === 'linux' ? readlinkSync(`/proc/self/fd/${descriptor}`) : realpathSync(file);
  return isBelow(relative(realpathSync(folder), real));
}

/** Whether a relative path leads to something below where it begins. */
export function isBelow(path: string): boolean {
  return path !== '' && !path.startsWith(sep) && path.split(sep)[0] !== '..';
}

/** Elsewhere than on Linux no agent has fewer rights than we. */
function pathOf(descriptor: number, path: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${descriptor}` : path;
}

/** False when something of that name is there. */
function makeOne(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
