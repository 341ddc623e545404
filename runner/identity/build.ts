// The build of a runner: a hash of its bundle. Part of the runner's bundle too: built-ins only.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The build of the runner in this file. Reads the file once, as it never changes. Throws when it cannot be read. */
export function runnerBuild(file: string): string {
  const known = builds.get(file);
  if (known !== undefined) return known;
  const build = createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16);
  builds.set(file, build);
  return build;
}

const builds = new Map<string, string>();
