// Lists of message names that the compiler keeps complete. Loaded by the workflow sandbox.

/**
 * The names of a table of messages, in the order of the argument. A name in only one of the two does not compile:
 * Temporal would accept a message with a missing name, and nothing would handle it.
 */
export function namesOf<Messages>(
  names: Readonly<Record<keyof Messages & string, true>>,
): readonly (keyof Messages & string)[] {
  return Object.keys(names) as (keyof Messages & string)[];
}
