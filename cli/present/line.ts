// Answers that are one line for people, which their operation's definition gives.

/** The line with the answer's fields in the place of their names: `cleared {cleared}`. */
export function lineOf(prints: string, answer: unknown): string {
  const fields = answer as Readonly<Record<string, string | number | readonly string[]>>;
  return prints.replaceAll(/\{(\w+)\}/g, (_, name: string) => textOf(fields[name] ?? ''));
}

function textOf(value: string | number | readonly string[]): string {
  return typeof value === 'object' ? value.join(', ') : value.toString();
}
