// Environment variables that mark processes: one for every process of a machine, and one for those that belong to the
// agent program.

/** Set to the machine's name. */
export const MARKER = 'MURMUR_MACHINE';

/** Set to 1 for processes that live as long as the agent program: its MCP servers. An interrupt does not end them. */
export const COMPANION = 'MURMUR_COMPANION';

/** `NAME=value` for one machine. */
export function markOf(machine: string): string {
  return `${MARKER}=${machine}`;
}
