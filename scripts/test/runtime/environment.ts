// The environment of a test file: Node itself. Jest's own makes a context with globals of its own for each file.

/** A `testEnvironment` for jest. */
export default class NodeItself {
  /** What jest would put into the globals of a test file stays here. */
  readonly global = {};
  readonly #console = globalThis.console;

  /** @param context of the test file; its console collects what the file prints */
  constructor(_config: unknown, context: { readonly console: Console }) {
    globalThis.console = context.console;
  }

  /** There is no context to run code in. */
  getVmContext(): null {
    return null;
  }

  async setup(): Promise<void> {}

  async teardown(): Promise<void> {
    globalThis.console = this.#console;
  }
}
