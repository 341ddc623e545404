// The one line of shell that a command becomes on a host.
import { shellQuoted } from '../../../runner/isolation/program-script.ts';
import { MurmurError } from '../../../contract/wire/errors.ts';

export interface HostCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Set before the command; the rest is the login's. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a wrapper says on its errors, after a word that nobody else knows. */
export type WrapperFact = { readonly group: number } | { readonly problem: string };

/**
 * The command line for ssh: a shell that leads its process group, says which on its errors, and runs the first line of its
 * input. Nothing of the command stands in it: command lines can be read by everybody on the host. Both outputs begin with
 * the word: what the login's own start-up files print comes before.
 */
export function wrapperLine(word: string): string {
  // A line break in a value is this variable: what is read is one line.
  const newline = 'murmur_nl=$(printf "\\nx"); murmur_nl=${murmur_nl%x}';
  const read = 'IFS= read -r murmur_line || exit 126; eval "$murmur_line"';
  const script = `echo ${word}; echo ${word} $$ >&2; ${newline}; ${read}`;
  // Servers make the login's shell the leader of a group of its own. Where one does not, setsid does.
  const lead = 'IFS=" " read -r _ _ _ _ group _ </proc/$$/stat; [ "$group" = $$ ] || exec setsid -w /bin/sh -c "$1"';
  // No quotes within the quotes, so that shells of every kind read it alike.
  return `exec /bin/sh -c '${lead}; eval "$1"' sh '${script}'`;
}

/**
 * The line that the wrapper runs. Ends with the wrapper's word and a problem for a folder or a program that is not there,
 * whose own words nobody could tell from the program's.
 * @param output file for what the command prints, which only the login may read then
 */
export function commandLine(word: string, { command, args, cwd, env }: HostCommand, output?: string): string {
  const exports = Object.entries(env).map(([name, value]) => `export ${checkedName(name)}=${quoted(value)}`);
  const problem = (text: string): string => `{ echo ${word} ${quoted(text)} >&2; exit 127; }`;
  return [
    'unset murmur_line',
    ...exports,
    `cd -- ${quoted(cwd)} 2>/dev/null || ${problem(`there is no folder ${cwd}`)}`,
    `command -v -- ${quoted(command)} >/dev/null 2>&1 || ${problem('there is no such program')}`,
    ...(output === undefined ? [] : ['umask 077', `exec >${quoted(output)}`]),
    `exec ${[command, ...args].map(quoted).join(' ')}`,
  ].join('; ');
}

/** Reads what a wrapper has said on its errors after its word. */
export function readFact(text: string): WrapperFact {
  return /^\d+$/.test(text) ? { group: Number(text) } : { problem: text };
}

/** A word that stays on one line. */
export function quoted(text: string): string {
  if (text.includes('\0')) throw new MurmurError('INVALID_ARGUMENT', 'a command cannot hold a zero byte');
  return shellQuoted(text).replaceAll('\n', `'"$murmur_nl"'`);
}

function checkedName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  throw new MurmurError('INVALID_ARGUMENT', `${JSON.stringify(name)} cannot be the name of a variable`);
}
