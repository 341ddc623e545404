// Child processes that are ended for certain. Imports Node built-ins only.
import type { ChildProcess } from 'node:child_process';

/** What a process gets to end by itself before it is killed. */
const GRACE_MS = 5_000;

/** Asks the process to end, and kills it when it does not. Resolves when it is gone. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  child.kill('SIGTERM');
  await gone;
  clearTimeout(timer);
}

/** Whether a process with this id lives; a zombie counts as living. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
