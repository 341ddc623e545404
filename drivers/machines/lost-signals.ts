// `Machine.lost` for connections that hold nothing open. They are lost when the machine is stopped.

/** A lease of the connection to one machine. */
export interface NamedLease {
  /** `Machine.lost`: one signal for all leases, until it aborts. */
  readonly lost: AbortSignal;
  /** Gives the lease back. Idempotent. */
  release(): void;
}

interface Connection {
  readonly lost: AbortController;
  leases: number;
}

/** The connections of one provider, by machine. A connection is kept while it has a lease. */
export class LostSignals {
  readonly #current = new Map<string, Connection>();
  readonly #onLost: (name: string) => void;

  /** @param onLost is called for each machine whose connection is lost, even without a lease */
  constructor(onLost: (name: string) => void = () => undefined) {
    this.#onLost = onLost;
  }

  lease(name: string): NamedLease {
    const connection = this.#current.get(name) ?? { lost: new AbortController(), leases: 0 };
    connection.leases += 1;
    this.#current.set(name, connection);
    let isHeld = true;
    return {
      lost: connection.lost.signal,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        connection.leases -= 1;
        if (connection.leases === 0 && this.#current.get(name) === connection) this.#current.delete(name);
      },
    };
  }

  lose(name: string, reason: Error): void {
    const connection = this.#current.get(name);
    this.#current.delete(name);
    this.#onLost(name);
    connection?.lost.abort(reason);
  }

  loseAll(reasonOf: (name: string) => Error): void {
    for (const name of [...this.#current.keys()]) this.lose(name, reasonOf(name));
  }
}
