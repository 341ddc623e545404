// Replaces '@jest/globals' for tests and conformance suites. This module is loaded once, but each test file needs its
// own functions: they are live bindings, renewed before a file is loaded.
import type * as Jest from '@jest/globals';

export type TestGlobals = Pick<
  typeof Jest,
  'afterAll' | 'afterEach' | 'beforeAll' | 'beforeEach' | 'describe' | 'expect' | 'it' | 'test'
>;

export let afterAll: TestGlobals['afterAll'];
export let afterEach: TestGlobals['afterEach'];
export let beforeAll: TestGlobals['beforeAll'];
export let beforeEach: TestGlobals['beforeEach'];
export let describe: TestGlobals['describe'];
export let expect: TestGlobals['expect'];
export let it: TestGlobals['it'];
export let test: TestGlobals['test'];

/** Global in which Jest's `jest.setTimeout` stores the limit for jest-circus. */
const TEST_TIMEOUT = Symbol.for('TEST_TIMEOUT_SYMBOL');

/** The only function of `jest` that works without its module system. There are no mocks. */
export const jest = {
  /** Limit of each test and hook of this file, in milliseconds. */
  setTimeout: (ms: number): void => {
    Reflect.set(globalThis, TEST_TIMEOUT, ms);
  },
};

/** Sets the functions for the next test file. */
export function renewGlobals(globals: TestGlobals): void {
  ({ afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } = globals);
  Reflect.deleteProperty(globalThis, TEST_TIMEOUT);
}
