// Runs one attempt at a turn per agent in a worker. A worker that was frozen may resume several attempts: Temporal
// timed them out, but they do not know it.

export interface TurnOfAgent {
  /** Runs `work` exclusively per agent: aborts and awaits an earlier attempt first. */
  takeOver<T>(agent: string, work: (superseded: AbortSignal) => Promise<T>): Promise<T>;
}

/** The running attempts of one worker. */
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
