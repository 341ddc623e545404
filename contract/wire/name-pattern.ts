// Lists of names in which a `*` at the end of an entry stands for any rest. No imports.

/** Whether an entry names it. Case counts. */
export function isListed(name: string, entries: readonly string[]): boolean {
  return entries.some((entry) => (entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : name === entry));
}
