// Which build a runner is of: what its one file holds. Runs in the runner's bundle as well: built-ins only.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The build of the runner in this file, which is read once: the file of a build never changes. Throws when it cannot be read. */
export function runnerBuild(file: string): string {
  const known = builds.get(file);
  if (known !== undefined) return known;
  const build = createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16);
  builds.set(file, build);
  return build;
}

const builds = new Map<string, string>();
