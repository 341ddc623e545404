// What a stopping runner does when the work that it waits for does not end.

/** A stop asks the turn to end before it ends the program: its last words then reach the transcript. */
const GRACE_MS = 2_000;
/** Then what is under way (a look at the work, a capture, a checkout) has this long before its processes are ended. */
const FORCE_INTERVAL_MS = 5_000;

export interface EscalationSteps {
  /** After the grace. Must not throw. */
  readonly endProgram: () => void;
  /** Then, again and again. Must not reject. */
  readonly endProcesses: () => Promise<void>;
}

/** Ends more and more, until the returned function is called. */
export function escalateStop({ endProgram, endProcesses }: EscalationSteps): () => void {
  let isSettled = false;
  const force = async (): Promise<void> => {
    await endProcesses();
    forceLater();
  };
  const forceLater = (): void => {
    if (!isSettled) timer = setTimeout(() => void force(), FORCE_INTERVAL_MS);
  };
  let timer = setTimeout(() => {
    endProgram();
    forceLater();
  }, GRACE_MS);
  return () => {
    isSettled = true;
    clearTimeout(timer);
  };
}
