// Where Murmur's own files lie: TypeScript sources in a checkout, finished bundles in a published package.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(import.meta.url);

/** Folder of the package: holds package.json, temporal-dev.yaml and tools/. */
export const PACKAGE_ROOT = rootAbove(dirname(HERE));

/** Whether this code runs from the published bundles, where nothing is left to be bundled. */
export const IS_PUBLISHED = HERE.endsWith('.js');

/** A finished bundle of the published package. */
export function publishedFile(name: string): string {
  return join(PACKAGE_ROOT, 'dist', name);
}

/** Entry of a program of ours that runs in the caller's own process: its bundle, or its source in a checkout. */
export function entryFile(name: string): string {
  return IS_PUBLISHED ? publishedFile(`${name}.js`) : join(PACKAGE_ROOT, name, 'main.ts');
}

function rootAbove(folder: string): string {
  if (existsSync(join(folder, 'package.json')) || dirname(folder) === folder) return folder;
  return rootAbove(dirname(folder));
}
