// One attempt at a turn per agent in a worker. A worker that was frozen finds several of them when it thaws: Temporal
// gave up on each, but none knows it.

export interface TurnOfAgent {
  /**
   * Runs the work as the agent's only one. One that runs already is asked to leave by its signal, and waited for.
   */
  takeOver<T>(agent: string, work: (takenOver: AbortSignal) => Promise<T>): Promise<T>;
}

/** The register of one worker. */
export function createTurnOfAgent(): TurnOfAgent {
  const running = new Map<string, { readonly leave: AbortController; readonly left: Promise<unknown> }>();
  return {
    takeOver: async (agent, work) => {
      const before = running.get(agent);
      const leave = new AbortController();
      const result = (async () => {
        before?.leave.abort();
        await before?.left;
        return await work(leave.signal);
      })();
      const mine = { leave, left: result.catch(() => undefined) };
      running.set(agent, mine);
      try {
        return await result;
      } finally {
        if (running.get(agent) === mine) running.delete(agent);
      }
    },
  };
}
