// The builds whose agents every later build takes over.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../test/fixtures/program-under-test.ts';

/** Commits with a folder of kept histories, in alphabetical order. */
export async function keptBuilds(): Promise<readonly string[]> {
  const entries = await readdir(join(ROOT, 'test', 'replay', 'histories'), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}
