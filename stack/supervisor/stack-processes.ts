// Finds the processes of a home's stack in the process table, also those of earlier builds.
import { readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import type { HomePaths } from '../../config/home.ts';
import type { ProcessIdentity, StackChild } from '../../contract/stack.ts';
import { commandLines } from '../../runner/isolation/process-table.ts';
import { identityOf } from '../process.ts';

type CommandTest = (words: readonly string[], home: HomePaths) => boolean;

/** Which command lines are those of the stack, in every build since b35f5f2: from sources or from bundles. */
const TESTS: Readonly<Record<StackChild, CommandTest>> = {
  worker: (words) => runsWithNode(words, /\/(worker\/main\.ts|dist\/worker\.js)$/),
  server: (words) => runsWithNode(words, /\/(server\/main\.ts|dist\/server\.js)$/),
  // The relay and Temporal itself.
  temporal: (words, { temporal: { database } }) =>
    words.some((word) => word.includes(database)) &&
    words.some((word) => word === 'start-dev' || /\/(relay\/main\.ts|dist\/relay\.js)$/.test(word)),
};

function runsWithNode([program = '', entry = '']: readonly string[], entries: RegExp): boolean {
  return basename(program).startsWith('node') && entries.test(entry);
}

/**
 * The running processes of this kind that were started for the home. The stack starts each in the home's folder, where
 * no other program of Murmur runs. Empty on systems other than Linux, which do not show working directories.
 */
export async function stackProcesses(home: HomePaths, name: StackChild): Promise<readonly ProcessIdentity[]> {
  const lines = [...(await commandLines())].filter(([, words]) => TESTS[name](words, home));
  const found = await Promise.all(
    lines.map(async ([pid]) => ((await workingFolder(pid)) === home.root ? await identityOf(pid) : undefined)),
  );
  return found.filter((identity) => identity !== undefined);
}

/** Undefined for a process that has ended or belongs to another user. */
async function workingFolder(pid: number): Promise<string | undefined> {
  return await readlink(`/proc/${pid.toString()}/cwd`).catch(() => undefined);
}
