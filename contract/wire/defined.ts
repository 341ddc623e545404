// Fields that may have no value. Loaded by the workflow sandbox: no imports.

/** The object without the fields that are undefined: absent is how Murmur writes "no value" everywhere. */
export function defined<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
