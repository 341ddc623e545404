// Small JSON files that are written atomically. Imports nothing of Murmur.
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** The file's value; undefined when it is missing. Throws SyntaxError for invalid JSON. */
export function readState<Value>(file: string): Value | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Value;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces the file atomically, mode 0600: a reader sees the old or the new value. */
export function writeState(file: string, value: unknown): void {
  const draft = `${file}.${process.pid}.new`;
  const descriptor = openSync(draft, 'w', 0o600);
  try {
    // Unlike writeSync, this writes everything or throws: on a nearly full disk, only a part may fit.
    writeFileSync(descriptor, JSON.stringify(value));
  } finally {
    closeSync(descriptor);
  }
  renameSync(draft, file);
}

/** `writeState` for optional files: logs an error instead of throwing. */
export function tryWriteState(file: string, value: unknown): void {
  try {
    writeState(file, value);
  } catch (error) {
    console.error(`${file} could not be written`, error);
  }
}

/** No-op when the file is missing. */
export function removeState(file: string): void {
  rmSync(file, { force: true });
}
