// Paths of Murmur's own files: TypeScript sources in a checkout, bundles in a published package.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(import.meta.url);

/** Folder of the package, with package.json, temporal-dev.yaml and tools/. */
export const PACKAGE_ROOT = rootAbove(dirname(HERE));

/** Whether this code runs from published bundles, where nothing has to be bundled. */
export const IS_PUBLISHED = HERE.endsWith('.js');

/** A bundle of the published package. */
export function publishedFile(name: string): string {
  return join(PACKAGE_ROOT, 'dist', name);
}

/** Entry file of one of our programs: its bundle, or its source in a checkout. */
export function entryFile(name: string): string {
  return IS_PUBLISHED ? publishedFile(`${name}.js`) : join(PACKAGE_ROOT, name, 'main.ts');
}

function rootAbove(folder: string): string {
  if (existsSync(join(folder, 'package.json')) || dirname(folder) === folder) return folder;
  return rootAbove(dirname(folder));
}
