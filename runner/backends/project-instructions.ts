// The repository's instructions for agents: CLAUDE.md and AGENTS.md as text. The program itself does not read the
// repository's settings, because they can run commands. Built-ins only.
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { liesBelow } from './agent-folder.ts';

/** Files with instructions, in the order in which the prompt has them. */
const FILES = ['CLAUDE.md', 'AGENTS.md'] as const;

/** Bytes of one file: ten times the usual size, and small enough for a context window. */
const FILE_LIMIT = 65_536;

/** Bytes of all files: a workspace of many repositories must not fill the context before the first prompt. */
const TOTAL_LIMIT = 262_144;

/**
 * Reads the instructions at the roots of the repositories, with an introduction that names their origin. Undefined
 * without instructions. Skips files that are missing, unreadable or lead out of the repository: the repository's author
 * must not be able to read other files of this host.
 */
export async function readProjectInstructions(repositories: readonly string[]): Promise<string | undefined> {
  const sections: string[] = [];
  let left = TOTAL_LIMIT;
  for (const repository of repositories) {
    const told = new Set<string>();
    for (const file of FILES) {
      const content = await readInside(repository, file, Math.min(FILE_LIMIT, left));
      // CLAUDE.md is often a link to AGENTS.md.
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
    // The agent may be able to replace the repository's folder.
    const root = join(await realpath(dirname(repository)), basename(repository));
    const target = await realpath(join(root, file));
    if (!target.startsWith(root + sep)) return undefined;
    // NOFOLLOW: the path is resolved, so a link was added since. NONBLOCK: otherwise, opening a pipe waits for ever.
    const handle = await open(target, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      // Parent folders may have been replaced since.
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
