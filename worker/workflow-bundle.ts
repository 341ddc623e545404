// The workflow code as one file. Bundling takes 1.5 to 2.3 s, so it is done once per content.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { Logger } from '@temporalio/worker';
import { cachedBundle } from '../drivers/bundle-cache.ts';
import { IS_PUBLISHED, PACKAGE_ROOT, publishedFile } from '../config/package.ts';

/** The path of the bundle: in the published package, or built in the cache folder. */
export async function workflowBundle(cacheFolder: string, logger?: Logger): Promise<string> {
  if (IS_PUBLISHED) return publishedFile('workflows.js');
  const { version } = createRequire(import.meta.url)('@temporalio/workflow/package.json') as { version: string };
  const inputs = { name: 'workflows', sources: ['workflows', 'contract/wire'], salt: [version] };
  return await cachedBundle(cacheFolder, inputs, () => buildWorkflowBundle(logger));
}

/** Bundles the workflow code from the sources of a checkout. */
export async function buildWorkflowBundle(logger?: Logger): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(PACKAGE_ROOT, 'workflows', 'index.ts'),
    workflowInterceptorModules: [join(PACKAGE_ROOT, 'workflows', 'tracing.ts')],
    payloadConverterPath: join(PACKAGE_ROOT, 'workflows', 'payload-converter.ts'),
    ...(logger === undefined ? {} : { logger }),
  });
  return code;
}
