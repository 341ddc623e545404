// What `import … from '@jest/globals'` gives to tests and conformance suites. A module is loaded once, and every test file has
// its own set of these functions: they are live bindings, renewed before a file is loaded.
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

/** Where jest's own `jest.setTimeout` leaves the limit, and jest-circus finds it. */
const TEST_TIMEOUT = Symbol.for('TEST_TIMEOUT_SYMBOL');

/** The one function of `jest` that works without its module system; there are no mocks here. */
export const jest = {
  /** Limit of each test and hook of this file, in milliseconds. */
  setTimeout: (ms: number): void => {
    Reflect.set(globalThis, TEST_TIMEOUT, ms);
  },
};

/** Makes these the ones of the file that is loaded next. */
export function renewGlobals(globals: TestGlobals): void {
  ({ afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } = globals);
  Reflect.deleteProperty(globalThis, TEST_TIMEOUT);
}
