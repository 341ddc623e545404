// The files of `murmur` for agents: the bundles of a published package, or bundles built from a checkout.
import { join } from 'node:path';
import { IS_PUBLISHED, PACKAGE_ROOT, publishedFile } from '../../config/package.ts';
import { programBundle } from '../bundle-cache.ts';
import type { MurmurProgram } from './build.ts';
import type { Shipment } from './shipment.ts';

/** The entry of `murmur` in a shipment; loads one of the programs. */
export const MURMUR_ENTRY = 'bin/murmur.js';
const PROGRAMS: readonly MurmurProgram[] = ['cli', 'mcp'];
/** Copied unchanged: the entry, and the file from which it reads its version. */
const FILES = [MURMUR_ENTRY, 'package.json'] as const;
/** Folders and files whose sources go into the bundles, or decide how they are built. */
export const MURMUR_SOURCES: readonly string[] = [
  ...['cli', 'client', 'config', 'contract', 'drivers', 'mcp', 'runner', 'stack'],
  'package.json',
];

/** Bundles are built in the folder unless it has them. Throws the bundler's error. */
export async function murmurShipment(cacheFolder: string): Promise<Shipment> {
  const files = FILES.map((name) => [name, join(PACKAGE_ROOT, name)] as const);
  const programs = PROGRAMS.map(async (name) => [`dist/${name}.js`, await programFile(cacheFolder, name)] as const);
  return Object.fromEntries([...files, ...(await Promise.all(programs))]);
}

async function programFile(cacheFolder: string, name: MurmurProgram): Promise<string> {
  if (IS_PUBLISHED) return publishedFile(`${name}.js`);
  const bundle = { name: `murmur-${name}`, sources: MURMUR_SOURCES, entry: `${name}/main.ts`, format: 'esm' } as const;
  return await programBundle(cacheFolder, bundle, async () => (await import('./build.ts')).murmurBuild(name));
}
