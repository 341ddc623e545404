// Where the programs of the stack lie: TypeScript sources in a checkout, bundles in a published package.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(import.meta.url);

/** Folder of the package: holds package.json, temporal-dev.yaml and tools/. */
export const PACKAGE_ROOT = rootAbove(dirname(HERE));

/** Whether this code runs from the published bundles. */
export const IS_PUBLISHED = HERE.endsWith('.js');

/** Entry files in a checkout; a bundle has the program's name. */
const SOURCES = {
  supervisor: 'stack/supervisor/main.ts',
  worker: 'worker/main.ts',
  server: 'server/main.ts',
} as const;

export type Program = keyof typeof SOURCES;

/** The file to run with Node. */
export function entryOf(program: Program): string {
  return IS_PUBLISHED ? join(PACKAGE_ROOT, 'dist', `${program}.js`) : join(PACKAGE_ROOT, SOURCES[program]);
}

function rootAbove(dir: string): string {
  if (existsSync(join(dir, 'package.json')) || dirname(dir) === dir) return dir;
  return rootAbove(dirname(dir));
}
