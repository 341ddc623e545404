// The variable that every process of a machine is started with, by which it is found again.

/** Set to the machine's name. */
export const MARKER = 'MURMUR_MACHINE';

/** `NAME=value` for one machine. */
export function markOf(machine: string): string {
  return `${MARKER}=${machine}`;
}
