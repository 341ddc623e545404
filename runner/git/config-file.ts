// Writes git's configuration format. Of Murmur, imports only the entry's type.
import type { ConfigEntry } from './caller-git.ts';

/** The entries as a configuration file, in order: `section.variable` or `section.any subsection.variable`. */
export function formatConfig(entries: readonly ConfigEntry[]): string {
  return entries.map(({ key, value }) => `${header(key)}\t${variableOf(key)} = "${quote(value)}"\n`).join('');
}

function header(key: string): string {
  const first = key.indexOf('.');
  const last = key.lastIndexOf('.');
  const section = key.slice(0, first);
  if (first === last) return `[${section}]\n`;
  const subsection = key.slice(first + 1, last).replaceAll(/["\\]/g, '\\$&');
  return `[${section} "${subsection}"]\n`;
}

function variableOf(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1);
}

function quote(value: string): string {
  return value.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}

/** Quotes a word for a POSIX shell: git passes `core.sshCommand` and helpers to one. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
