// Kills a process group. Imports nothing of Murmur.

/** Kills the group that a detached child leads. No-op when it has ended or never started. */
export function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has already ended.
  }
}
