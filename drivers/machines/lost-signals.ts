// The signals of connections that are only names: lost when the machine is stopped, not when a wire breaks.

/** `Machine.lost` of the machines of one provider, by name. */
export class LostSignals {
  readonly #current = new Map<string, AbortController>();

  /** The same for all connections until they are lost. */
  signal(name: string): AbortSignal {
    const controller = this.#current.get(name) ?? new AbortController();
    this.#current.set(name, controller);
    return controller.signal;
  }

  lose(name: string, reason: Error): void {
    const controller = this.#current.get(name);
    this.#current.delete(name);
    controller?.abort(reason);
  }

  loseAll(reasonOf: (name: string) => Error): void {
    for (const name of [...this.#current.keys()]) this.lose(name, reasonOf(name));
  }
}
