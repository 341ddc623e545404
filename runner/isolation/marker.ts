// Variables by which processes are found again: one that every process of a machine is started with, and one for those
// that belong to the agent program.

/** Set to the machine's name. */
export const MARKER = 'MURMUR_MACHINE';

/** Set, to 1, for what lives as long as the agent program: its MCP servers, which an interrupt spares. */
export const COMPANION = 'MURMUR_COMPANION';

/** `NAME=value` for one machine. */
export function markOf(machine: string): string {
  return `${MARKER}=${machine}`;
}
