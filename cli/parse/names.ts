// Converts names and values between the command line (kebab case) and the contract (snake or camel case).

/** `add_blocked_by` → `add-blocked-by`, `taskComplete` → `task-complete`. */
export function kebab(name: string): string {
  return name
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();
}

/** Whether two spellings are the same name, ignoring case, `-` and `_`. */
export function sameName(left: string, right: string): boolean {
  return plain(left) === plain(right);
}

function plain(name: string): string {
  return name.replaceAll(/[-_]/g, '').toLowerCase();
}
