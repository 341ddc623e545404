// The machine's `run`: what the runner hands to the agent's processes, which must not change it.
import { randomUUID } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { MurmurError } from '../contract/wire/errors.ts';

/**
 * Makes `run` anew, the caller's own and passable for the agent. What was there goes: earlier builds gave the folder to
 * the agent, who may have put anything in it. The folder above is the caller's. No process of the agent's may run.
 */
export function makeRunFolder(run: string): void {
  const old = path.join(path.dirname(run), `.run-${randomUUID()}`);
  try {
    // Under its own name, an agent's process that is still about to end could go on changing it.
    renameSync(run, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  makePassable(run);
  try {
    rmSync(old, { recursive: true, force: true });
  } catch (error) {
    // An agent can make a tree that is hard to remove. It goes with the machine, and nothing reads it.
    console.error(error);
  }
}

/** Makes a folder of the caller's in which the agent can open what it knows the name of. */
export function makePassable(folder: string): void {
  mkdirSync(folder, { recursive: true });
  // The mode of mkdir is subject to the umask.
  chmodSync(folder, 0o711);
}

/**
 * Throws FAILED_PRECONDITION when the folder is a link or not there. Only where agents have the rights of the caller can
 * one have replaced it: without namespaces.
 */
export function requireFolder(folder: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new MurmurError('FAILED_PRECONDITION', `${folder} has been replaced by something that is no folder`);
}
