// What runners, and those who start them, leave in the folder of a local machine's runner.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The file's value; undefined when there is none, or one that was cut off. */
export async function readRunnerFile<Value>(runnerFolder: string, name: string): Promise<Value | undefined> {
  try {
    return JSON.parse(await readFile(join(runnerFolder, name), 'utf8')) as Value;
  } catch {
    return undefined;
  }
}
