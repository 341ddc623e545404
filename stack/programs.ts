// The programs that the stack starts.
import { join } from 'node:path';
import { userCacheFolder } from '../config/home.ts';
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

/**
 * The environment of a program of the stack. It enables Node's compile cache, which halves the processor time of a
 * start. The CLI uses the same folder, see bin/murmur.js.
 */
export function programEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { NODE_COMPILE_CACHE: join(userCacheFolder(env), 'compile-cache'), ...env };
}
