// Lists of names; a trailing `*` in an entry matches any rest. No imports.

/** Whether an entry matches the name. Case-sensitive. */
export function isListed(name: string, entries: readonly string[]): boolean {
  return entries.some((entry) => (entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : name === entry));
}
