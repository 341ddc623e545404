// A clock that all processes of the machine share. Imports nothing.

/**
 * Milliseconds since the epoch with microsecond resolution. Unlike `performance.now()`, comparable between processes.
 */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
