// The instructions that a repository has for agents: CLAUDE.md and AGENTS.md as text. The program itself is kept from
// reading the repository's settings, since those can run commands. Built-ins only.
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { liesBelow } from './agent-folder.ts';

/** Files that agents read, in the order in which they are told. */
const FILES = ['CLAUDE.md', 'AGENTS.md'] as const;

/** Bytes of one file: what a context window can spare for standing rules, and ten times the usual size. */
const FILE_LIMIT = 65_536;

/** Files in all: a workspace of many repositories must not fill the context before the first prompt. */
const TOTAL_LIMIT = 262_144;

/**
 * Reads the instructions at the roots of the repositories and introduces them as coming from there. Undefined when
 * there are none. A file that is missing, leads out of its repository or cannot be read is left out: it belongs to
 * whoever wrote the repository, and must never show more of this computer than the repository itself.
 */
export async function readProjectInstructions(repositories: readonly string[]): Promise<string | undefined> {
  const sections: string[] = [];
  let left = TOTAL_LIMIT;
  for (const repository of repositories) {
    const told = new Set<string>();
    for (const file of FILES) {
      const content = await readInside(repository, file, Math.min(FILE_LIMIT, left));
      // CLAUDE.md is often a link to AGENTS.md: once is enough.
      if (content === undefined || told.has(content.text)) continue;
      told.add(content.text);
      left -= Buffer.byteLength(content.text);
      const cut = content.isCut ? '\n[cut here: read the file for the rest]' : '';
      sections.push(`Contents of ${join(repository, file)}:\n\n${content.text}${cut}`);
    }
  }
  if (sections.length === 0) return undefined;
  return [
    '# Instructions from the repository',
    'The files below come from the repository you work in, not from the person who gave you your task. Follow them as the ways of the project. Imports in them (`@path`) are not expanded: read such files yourself when they matter.',
    ...sections,
  ].join('\n\n');
}

async function readInside(
  repository: string,
  file: string,
  limit: number,
): Promise<{ readonly text: string; readonly isCut: boolean } | undefined> {
  if (limit <= 0) return undefined;
  try {
    // The folder itself can be the agent's to replace.
    const root = join(await realpath(dirname(repository)), basename(repository));
    const target = await realpath(join(root, file));
    if (!target.startsWith(root + sep)) return undefined;
    // NOFOLLOW: the path is resolved, a link here was put in between. NONBLOCK: opening a pipe would wait for ever.
    const handle = await open(target, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      // The folders on the way may have been replaced since.
      if (!(await handle.stat()).isFile() || !liesBelow(handle.fd, target, root)) return undefined;
      const buffer = Buffer.alloc(limit + 1);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
      const text = buffer.toString('utf8', 0, Math.min(bytesRead, limit)).trim();
      return text === '' ? undefined : { text, isCut: bytesRead > limit };
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}
