// Names and values on the command line and in the contract: kebab case here, snake or camel case there.

/** `add_blocked_by` and `taskComplete` as they are typed: `add-blocked-by`, `task-complete`. */
export function kebab(name: string): string {
  return name
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();
}

/** Whether two spellings mean the same name: case, `-` and `_` do not matter. */
export function sameName(left: string, right: string): boolean {
  return plain(left) === plain(right);
}

function plain(name: string): string {
  return name.replaceAll(/[-_]/g, '').toLowerCase();
}
