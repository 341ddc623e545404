// Optional fields. Loaded by the workflow sandbox: no imports.

/** The object without its undefined fields. In Murmur's objects a field without a value is absent. */
export function defined<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
