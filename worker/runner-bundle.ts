// The runner as one file, which is copied to machines. CommonJS: an ES module that imports a built-in evaluates all lazy
// parts of it, with `node:http` the whole of fetch. Each agent has a runner, and that is a fifth of its start.
import { join } from 'node:path';
import { cachedBundle } from '../drivers/bundle-cache.ts';
import { IS_PUBLISHED, PACKAGE_ROOT, publishedFile } from '../config/package.ts';

/** Holds all that the bundle is made of: the runner's own layers. A bundle is kept until one of these changes. */
export const RUNNER_SOURCES: readonly string[] = ['runner', 'contract/wire'];

const FORMAT = 'cjs';

/** The path of the bundle: part of the published package, or made in the cache folder. */
export async function runnerBundle(cacheFolder: string): Promise<string> {
  if (IS_PUBLISHED) return publishedFile('runner.cjs');
  // Only a checkout has the bundler.
  const { build, stop, version } = await import('esbuild');
  const inputs = { name: 'runner', sources: RUNNER_SOURCES, salt: [version, FORMAT], extension: FORMAT } as const;
  return await cachedBundle(cacheFolder, inputs, async () => {
    const { outputFiles } = await build({
      entryPoints: [join(PACKAGE_ROOT, 'runner', 'main.ts')],
      bundle: true,
      platform: 'node',
      format: FORMAT,
      target: 'node22',
      write: false,
      logLevel: 'silent',
    });
    // Its helper process would stay for as long as the worker.
    await stop();
    const [bundle] = outputFiles;
    if (bundle === undefined) throw new Error('esbuild made no file of the runner');
    return bundle.contents;
  });
}
