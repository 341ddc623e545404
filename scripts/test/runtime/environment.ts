// Jest's test environment without a context of its own: test files run in Node's globals.

/** A `testEnvironment` for jest. */
export default class NodeEnvironment {
  /** Receives what Jest would put into the globals of a test file. */
  readonly global = {};
  readonly #console = globalThis.console;

  /** @param context of the test file; its console collects what the file prints */
  constructor(_config: unknown, context: { readonly console: Console }) {
    globalThis.console = context.console;
  }

  /** There is no VM context. */
  getVmContext(): null {
    return null;
  }

  async setup(): Promise<void> {}

  async teardown(): Promise<void> {
    globalThis.console = this.#console;
  }
}
