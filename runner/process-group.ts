// Ending a process together with the group that it leads. Imports nothing of Murmur.

/** Ends the group that a detached child leads; no-op when it has ended or never began. */
export function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has ended by itself.
  }
}
