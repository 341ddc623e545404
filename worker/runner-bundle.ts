// The runner as one file, which is copied to machines. CommonJS, because an ES module that imports a built-in evaluates
// all its lazy parts: for `node:http`, all of fetch. Each agent starts a runner, and this would be a fifth of the start
// time.
import { programBundle } from '../drivers/bundle-cache.ts';
import { IS_PUBLISHED, publishedFile } from '../config/package.ts';

/** The folders with the bundle's sources: the runner's layers. The bundle is rebuilt when one of them changes. */
export const RUNNER_SOURCES: readonly string[] = ['runner', 'contract/wire'];

/** The path of the bundle: in the published package, or built in the cache folder. */
export async function runnerBundle(cacheFolder: string): Promise<string> {
  if (IS_PUBLISHED) return publishedFile('runner.cjs');
  const bundle = { name: 'runner', sources: RUNNER_SOURCES, entry: 'runner/main.ts', format: 'cjs' } as const;
  return await programBundle(cacheFolder, bundle);
}
