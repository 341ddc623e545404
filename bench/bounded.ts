// Bounds on waiting. Imports nothing.

/** The promise, or a rejection that says what was waited for when the time is over. */
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

/** Asks again and again until the answer is not undefined; for states that nobody announces. */
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

/** For what announces nothing and cannot be asked. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
