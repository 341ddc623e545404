// Runs one attempt at a turn per agent in a worker. A worker that was frozen may resume several attempts: Temporal
// timed them out, but they do not know it.

export interface LatestAttempt {
  /** Runs `work` exclusively per agent: aborts and awaits an earlier attempt first. */
  takeOver<T>(agent: string, work: (superseded: AbortSignal) => Promise<T>): Promise<T>;
}

/** The running attempts of one worker. */
export function createLatestAttempt(): LatestAttempt {
  const running = new Map<string, { readonly controller: AbortController; readonly settled: Promise<unknown> }>();
  return {
    takeOver: async (agent, work) => {
      const before = running.get(agent);
      const controller = new AbortController();
      const result = (async () => {
        before?.controller.abort();
        await before?.settled;
        return await work(controller.signal);
      })();
      const mine = { controller, settled: result.catch(() => undefined) };
      running.set(agent, mine);
      try {
        return await result;
      } finally {
        if (running.get(agent) === mine) running.delete(agent);
      }
    },
  };
}
