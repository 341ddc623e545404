// The programs that the stack starts.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { userCacheFolder } from '../config/home.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { IS_PUBLISHED, PACKAGE_ROOT, publishedFile } from '../config/package.ts';

/** Entry files in a checkout. A bundle is named after the program. */
const SOURCES = {
  supervisor: 'stack/supervisor/main.ts',
  worker: 'worker/main.ts',
  server: 'server/main.ts',
  relay: 'stack/relay/main.ts',
} as const;

export type Program = keyof typeof SOURCES;

/** The file to run with Node. */
export function entryOf(program: Program): string {
  return IS_PUBLISHED ? publishedFile(`${program}.js`) : join(PACKAGE_ROOT, SOURCES[program]);
}

/** Throws FAILED_PRECONDITION where the stack's programs are missing: an agent's `murmur` is only a client. */
export function requirePrograms(): void {
  const file = entryOf('supervisor');
  if (existsSync(file)) return;
  throw new MurmurError('FAILED_PRECONDITION', `an agent's murmur starts no stack: ${file} does not exist`, {
    hint: 'run `npx murmur up` in a checkout, or install the package on the machine',
  });
}

/**
 * The environment of a program of the stack. It enables Node's compile cache, which halves the processor time of a
 * start. The CLI uses the same folder, see bin/murmur.js.
 */
export function programEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { NODE_COMPILE_CACHE: join(userCacheFolder(env), 'compile-cache'), ...env };
}
