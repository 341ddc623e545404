// Where a path on this host leads, found before git is asked: git also takes bundles and gitfiles, and follows links. The
// API server decides by it which repositories may be named, the runner clones no other. Imports built-ins only.
import { realpath, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import path from 'node:path';

/** A repository, by a path without links that holds its `.git` or is bare; or why it is none, after "it". */
export type LocalRepository = { readonly path: string } | { readonly problem: string };

/**
 * The repository that git finds at a path, looking where git looks, in its order. Undefined when there is nothing that
 * git would take.
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

/** Git of another work tree keeps everything but HEAD and index elsewhere. */
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
 * Whether a path is a folder or lies below it, links followed, by whatever path it is reached. A path to nothing is
 * judged by what is there of it; a folder that is not there holds nothing.
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
