// How jest loads test files: as Node loads the sources, types stripped, each module once for all files of a worker. Jest's
// own runtime compiles every module again for every test file, Temporal's SDK among them, which takes longer than the tests.
import { createRequire, enableCompileCache, registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { userCacheFolder } from '../../../config/home.ts';
import { renewGlobals } from './globals.ts';
import type { TestGlobals } from './globals.ts';

const requireModule = createRequire(import.meta.url);
const GLOBALS = new URL('globals.ts', import.meta.url).href;

// Compiling Temporal's SDK takes half a second, for each worker of jest.
enableCompileCache(join(userCacheFolder(process.env), 'compile-cache'));
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@jest/globals' ? { url: GLOBALS, shortCircuit: true } : next(specifier, context),
});

/** Handlers of jest-circus, which it adds to at every start. */
const CIRCUS_HANDLERS = Symbol.for('EVENT_HANDLERS');

/** A `runtime` for jest: what jest-runner and jest-circus ask of one. Without mocks, coverage and source maps. */
export default class NodeModules {
  /** jest-circus keeps the tests of a file in its module, so that every file needs a new one. */
  requireInternalModule(path: string): unknown {
    Reflect.deleteProperty(globalThis, CIRCUS_HANDLERS);
    Reflect.deleteProperty(requireModule.cache, path);
    return requireModule(path);
  }

  setGlobalsForRuntime(globals: TestGlobals): void {
    renewGlobals(globals);
  }

  unstable_shouldLoadAsEsm(): boolean {
    return true;
  }

  async unstable_importModule(path: string): Promise<void> {
    await import(pathToFileURL(path).href);
  }

  requireModule(path: string): unknown {
    return requireModule(path);
  }

  enterTestCode(): void {}
  leaveTestCode(): void {}
  teardown(): void {}

  getSourceMaps(): ReadonlyMap<string, string> {
    return new Map();
  }

  getAllCoverageInfoCopy(): undefined {
    return undefined;
  }
}
