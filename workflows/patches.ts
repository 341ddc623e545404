// Ids for `patched`: changes to the commands that a workflow issues (ADR 22).

/** Ids are recorded in histories and are never renamed. New ones are dated: `2026-11-30-what-changed`. */
export const PATCHES = {
  /** A spawn is answered in the workflow task that delivers it. Older than the rule about dates. */
  spawnsAnsweredAtOnce: 'spawns are answered at once',
} as const;
