// The runner as one file, which is copied to machines. CommonJS: an ES module that imports a built-in evaluates all lazy
// parts of it, with `node:http` the whole of fetch. Each agent has a runner, and that is a fifth of its start.
import { programBundle } from '../drivers/bundle-cache.ts';
import { IS_PUBLISHED, publishedFile } from '../config/package.ts';

/** Holds all that the bundle is made of: the runner's own layers. A bundle is kept until one of these changes. */
export const RUNNER_SOURCES: readonly string[] = ['runner', 'contract/wire'];

/** The path of the bundle: part of the published package, or made in the cache folder. */
export async function runnerBundle(cacheFolder: string): Promise<string> {
  if (IS_PUBLISHED) return publishedFile('runner.cjs');
  const bundle = { name: 'runner', sources: RUNNER_SOURCES, entry: 'runner/main.ts', format: 'cjs' } as const;
  return await programBundle(cacheFolder, bundle);
}
