// Finds the repository at a path of this host without git: git also accepts bundles and gitfiles, and follows links.
// The API server uses it to decide which repositories are allowed, and the runner clones no others. Imports built-ins
// only.
import { realpath, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import path from 'node:path';

/** The real path of a repository, bare or with `.git` in it; or why it is invalid, as a phrase after "it". */
export type LocalRepository = { readonly path: string } | { readonly problem: string };

/**
 * The repository that git would find at a path: tries the same places in the same order. Undefined if no place holds
 * one.
 */
export async function findRepository(asked: string): Promise<LocalRepository | undefined> {
  for (const place of [asked, `${asked}.git`]) {
    const real = await realpath(place).catch(() => undefined);
    const found = real === undefined ? undefined : await repositoryAt(real);
    if (found !== undefined) return found;
  }
  for (const place of [`${asked}.bundle`, asked]) {
    if ((await factsOf(place))?.isFile() === true) return { problem: 'is a file, such as a bundle' };
  }
  return undefined;
}

async function repositoryAt(real: string): Promise<LocalRepository | undefined> {
  const inner = path.join(real, '.git');
  const facts = await factsOf(inner);
  if (facts?.isFile() === true) return { problem: 'is a linked work tree or a submodule, whose .git is a file' };
  if (facts?.isDirectory() === true) {
    const git = await realpath(inner);
    if (await isGitDirectory(git)) return await whole(git === inner ? real : git, git);
  }
  return (await isGitDirectory(real)) ? await whole(real, real) : undefined;
}

/** A linked work tree's git directory has only HEAD and index; the rest is elsewhere. */
async function whole(found: string, git: string): Promise<LocalRepository> {
  const isPart = (await factsOf(path.join(git, 'commondir'))) !== undefined;
  return isPart ? { problem: 'is the git directory of a linked work tree' } : { path: found };
}

async function isGitDirectory(directory: string): Promise<boolean> {
  if ((await factsOf(path.join(directory, 'HEAD')))?.isFile() !== true) return false;
  if ((await factsOf(path.join(directory, 'commondir'))) !== undefined) return true;
  const parts = await Promise.all(['objects', 'refs'].map((name) => factsOf(path.join(directory, name))));
  return parts.every((each) => each?.isDirectory() === true);
}

/**
 * Whether a path is the folder or lies below it, after resolving links. For a missing path, checks its existing part.
 * False for a missing folder.
 */
export async function isBelow(asked: string, folder: string): Promise<boolean> {
  const top = await factsOf(folder);
  if (top === undefined) return false;
  for (let at = await deepestReal(asked); ; at = path.dirname(at)) {
    const facts = await factsOf(at);
    if (facts?.dev === top.dev && facts.ino === top.ino) return true;
    if (at === path.dirname(at)) return false;
  }
}

async function deepestReal(asked: string): Promise<string> {
  const real = await realpath(asked).catch(() => undefined);
  const parent = path.dirname(asked);
  if (real !== undefined) return real;
  return parent === asked ? asked : path.join(await deepestReal(parent), path.basename(asked));
}

async function factsOf(file: string): Promise<Stats | undefined> {
  return await stat(file).catch(() => undefined);
}
