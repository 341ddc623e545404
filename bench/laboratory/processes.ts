// Ends child processes reliably. Imports Node built-ins only.
import type { ChildProcess } from 'node:child_process';

/** Time for a process to end before it is killed, in milliseconds. */
const GRACE_MS = 5_000;

/** Terminates the process, and kills it if it does not end in time. Resolves when it has ended. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  child.kill('SIGTERM');
  await gone;
  clearTimeout(timer);
}

/** Whether a process with this id exists. A zombie counts. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
