// Waiting with time limits. Imports nothing.

/** Settles like the promise, or rejects after the time limit. `what` is for the error. */
export async function bounded<T>(promise: Promise<T>, milliseconds: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} did not happen within ${milliseconds.toString()} ms`));
    }, milliseconds);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** Polls until the answer is not undefined. For states without a notification. */
export async function until<T>(
  probe: () => Promise<T | undefined>,
  { everyMs, withinMs, what }: { readonly everyMs: number; readonly withinMs: number; readonly what: string },
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${withinMs.toString()} ms`);
    await pause(everyMs);
  }
}

/** Waits. For states that can neither be observed nor polled. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
