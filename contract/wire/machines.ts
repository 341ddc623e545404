// Whose a machine is. No imports.

/** States of a machine, by its agent. */
export const MACHINE_STATES = ['owned', 'pending', 'unowned', 'orphaned'] as const;

/** Why a machine is left to a person. */
export const ORPHAN_REASONS = [
  'label_missing',
  'other_namespace',
  'label_mismatch',
  'unknown_agent',
  'not_sealed',
] as const;

export type OrphanReason = (typeof ORPHAN_REASONS)[number];
