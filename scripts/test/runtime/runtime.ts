// Loads test files like Node loads the sources: strips types, and loads each module once per Jest worker. Jest's own
// runtime compiles all modules again for each test file, even Temporal's SDK, which takes longer than the tests.
import { createRequire, enableCompileCache, registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { userCacheFolder } from '../../../config/home.ts';
import { renewGlobals } from './globals.ts';
import type { TestGlobals } from './globals.ts';

const requireModule = createRequire(import.meta.url);
const GLOBALS = new URL('globals.ts', import.meta.url).href;

// Compiling Temporal's SDK takes half a second per Jest worker.
enableCompileCache(join(userCacheFolder(process.env), 'compile-cache'));
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@jest/globals' ? { url: GLOBALS, shortCircuit: true } : next(specifier, context),
});

/** Global handlers of jest-circus, to which each start adds more. */
const CIRCUS_HANDLERS = Symbol.for('EVENT_HANDLERS');

/** A `runtime` for Jest, with the methods that jest-runner and jest-circus call. No mocks, coverage or source maps. */
export default class NodeModules {
  /** Loads jest-circus again for each file, because it keeps a file's tests in its module. */
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
