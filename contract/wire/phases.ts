// The phases of an agent. Loaded by the workflow sandbox: no imports.

/** Every phase an agent can be in, in the order of its life. */
export const PHASES = ['starting', 'running', 'task-complete', 'idle', 'completed', 'failed', 'canceled'] as const;

/** A phase as every surface prints it. */
export type Phase = (typeof PHASES)[number];

/** Final phases: the agent's workflow is closed. */
export const TERMINAL_PHASES = ['completed', 'failed', 'canceled'] as const satisfies readonly Phase[];
export type TerminalPhase = (typeof TERMINAL_PHASES)[number];

/** Whether the phase is final. */
export function isTerminal(phase: Phase): phase is TerminalPhase {
  return (TERMINAL_PHASES as readonly Phase[]).includes(phase);
}

/** Further names that input accepts, from the product pages. */
const ALIASES: Readonly<Record<string, Phase>> = { provisioning: 'starting', killed: 'canceled' };

/**
 * Reads a phase in any accepted spelling: `task-complete`, `task_complete`, `PHASE_TASK_COMPLETE`, `killed`. Returns
 * undefined if it is unknown.
 */
export function parsePhase(text: string): Phase | undefined {
  const name = text
    .trim()
    .toLowerCase()
    .replace(/^phase_/, '')
    .replaceAll('_', '-');
  const phase = ALIASES[name] ?? name;
  return (PHASES as readonly string[]).includes(phase) ? (phase as Phase) : undefined;
}
