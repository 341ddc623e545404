// The files that are copied to a host: the bundles of a published package, or bundles built from a checkout.
import { join } from 'node:path';
import { IS_PUBLISHED, PACKAGE_ROOT, publishedFile } from '../../../config/package.ts';
import { programBundle } from '../../bundle-cache.ts';
import { HOST_PROGRAM, type Shipment } from './shipment.ts';

/** Entry in the package → file in the shipment. Agents start `murmur`, which loads one of the first two. */
const PROGRAMS = {
  'dist/cli.js': 'cli/main.ts',
  'dist/mcp.js': 'mcp/main.ts',
  [HOST_PROGRAM]: 'drivers/machines/ssh/host/main.ts',
} as const;
/** Copied unchanged: the entry of `murmur`, and the file from which it reads its version. */
const FILES = ['bin/murmur.js', 'package.json'] as const;
/** Folders whose sources go into the bundles. */
const SOURCES = ['cli', 'client', 'config', 'contract', 'drivers', 'mcp', 'runner', 'stack'] as const;

/** Returns the files, built on demand in the folder. Always the same object. */
export function shipmentFrom(cacheFolder: string): () => Promise<Shipment> {
  let made: Promise<Shipment> | undefined;
  return () => {
    made ??= makeShipment(cacheFolder).catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

async function makeShipment(cacheFolder: string): Promise<Shipment> {
  const files: Record<string, string> = {};
  for (const name of FILES) files[name] = join(PACKAGE_ROOT, name);
  for (const [name, entry] of Object.entries(PROGRAMS)) {
    files[name] = IS_PUBLISHED ? publishedFile(name.replace(/^dist\//, '')) : await bundled(cacheFolder, entry);
  }
  return files;
}

async function bundled(cacheFolder: string, entry: string): Promise<string> {
  return await programBundle(cacheFolder, {
    name: entry.replaceAll('/', '-').replace(/\.ts$/, ''),
    sources: [...SOURCES, 'package.json'],
    entry,
    format: 'esm',
    // Only a person's commands use these packages: an agent's commands are calls of the API.
    options: { minifySyntax: true, external: ['typescript', 'esbuild', 'ssh2', '@temporalio/*'] },
  });
}
