// Serializes the work on one machine within this process.

/** Runs the work once all earlier work under the same name has settled. */
export type InTurn = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** The queues of one provider. */
export function createTurns(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return async (name, work) => {
    const before = last.get(name);
    const mine = (async () => {
      await before;
      return await work();
    })();
    const settled = mine.then(
      () => undefined,
      () => undefined,
    );
    last.set(name, settled);
    try {
      return await mine;
    } finally {
      if (last.get(name) === settled) last.delete(name);
    }
  };
}
