// Changes of the commands that a workflow issues, as `patched` knows them (ADR 22).

/** Ids stand in histories and are never renamed. New ones are dated: `2026-11-30-what-changed`. */
export const PATCHES = {
  /** A spawn is answered in the task that brings it. Older than the rule of dates. */
  spawnsAnsweredAtOnce: 'spawns are answered at once',
} as const;
