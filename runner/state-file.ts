// Small JSON files that a killed process must not leave half-written. Imports nothing of Murmur.
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** The file's value; undefined when there is none. Throws SyntaxError for a file that is not JSON. */
export function readState<Value>(file: string): Value | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Value;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces the file at once, mode 0600: a reader sees the old or the new value. */
export function writeState(file: string, value: unknown): void {
  const draft = `${file}.${process.pid}.new`;
  const descriptor = openSync(draft, 'w', 0o600);
  try {
    // Unlike writeSync, it writes all of it or throws: on a disk that is nearly full a part may fit.
    writeFileSync(descriptor, JSON.stringify(value));
  } finally {
    closeSync(descriptor);
  }
  renameSync(draft, file);
}

/** As `writeState`, for what is worth having and no reason to fail: what went wrong is logged. */
export function tryWriteState(file: string, value: unknown): void {
  try {
    writeState(file, value);
  } catch (error) {
    console.error(`${file} could not be written`, error);
  }
}

/** No-op when there is no such file. */
export function removeState(file: string): void {
  rmSync(file, { force: true });
}
