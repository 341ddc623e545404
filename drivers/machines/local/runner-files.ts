// Files in the runner's folder of a local machine, written by the runner and by the process that starts it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The file's value; undefined when it is missing or incomplete. */
export async function readRunnerFile<Value>(runnerFolder: string, name: string): Promise<Value | undefined> {
  try {
    return JSON.parse(await readFile(join(runnerFolder, name), 'utf8')) as Value;
  } catch {
    return undefined;
  }
}
