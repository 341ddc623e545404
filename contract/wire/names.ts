// Lists of message names that the compiler keeps complete. Loaded by the workflow sandbox.

/**
 * The names of a table of messages, in the order in which they are written. A name that the table has and the list lacks,
 * or the other way round, does not compile: a message whose name is missing would be accepted by Temporal and never handled.
 */
export function namesOf<Messages>(
  names: Readonly<Record<keyof Messages & string, true>>,
): readonly (keyof Messages & string)[] {
  return Object.keys(names) as (keyof Messages & string)[];
}
