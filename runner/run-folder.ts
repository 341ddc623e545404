// The machine's folder `run`: files that the runner provides to the agent's processes, which must not change them.
import { randomUUID } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { MurmurError } from '../contract/wire/errors.ts';

/**
 * Recreates `run`, owned by the caller and traversable for the agent. Removes old contents: in earlier builds the agent
 * owned the folder and could write anything to it. The caller must own the parent folder. No process of the agent may
 * run.
 */
export function makeRunFolder(run: string): void {
  const old = path.join(path.dirname(run), `.run-${randomUUID()}`);
  try {
    // Renamed first, because a process of the agent that is about to end could still change it under its old name.
    renameSync(run, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  makePassable(run);
  try {
    rmSync(old, { recursive: true, force: true });
  } catch (error) {
    // An agent can create a tree that is hard to remove. It is not read and is removed with the machine.
    console.error(error);
  }
}

/** Creates a folder of the caller in which the agent can open files by name but not list them. */
export function makePassable(folder: string): void {
  mkdirSync(folder, { recursive: true });
  // The umask applies to the mode of mkdir.
  chmodSync(folder, 0o711);
}

/**
 * Throws FAILED_PRECONDITION when the folder is a link or missing. An agent can only replace it where it has the
 * caller's rights: without namespaces.
 */
export function requireFolder(folder: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new MurmurError('FAILED_PRECONDITION', `${folder} is not a folder; the agent may have replaced it`);
}
