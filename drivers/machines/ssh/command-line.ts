// Builds the shell command line that runs a command on a host.
import { shellQuoted } from '../../../runner/isolation/program-script.ts';
import { MurmurError } from '../../../contract/wire/errors.ts';

export interface HostCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Set for the command, in addition to the login's environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a wrapper reports on its stderr, after a random marker word. */
export type WrapperFact = { readonly group: number } | { readonly problem: string };

/**
 * The command line for ssh: a shell that leads its process group, reports the group on stderr, and runs the first line
 * of its input. It contains no part of the command: every user of the host can read command lines. Both outputs begin
 * with the word, because the login's start-up files may print text before.
 */
export function wrapperLine(word: string): string {
  // This variable replaces line breaks in values: the shell reads a single line.
  const newline = 'murmur_nl=$(printf "\\nx"); murmur_nl=${murmur_nl%x}';
  const read = 'IFS= read -r murmur_line || exit 126; eval "$murmur_line"';
  const script = `echo ${word}; echo ${word} $$ >&2; ${newline}; ${read}`;
  // Most servers make the login's shell a group leader. Otherwise setsid does.
  const lead = 'IFS=" " read -r _ _ _ _ group _ </proc/$$/stat; [ "$group" = $$ ] || exec setsid -w /bin/sh -c "$1"';
  // No quotes within the quotes, so that shells of every kind read it alike.
  return `exec /bin/sh -c '${lead}; eval "$1"' sh '${script}'`;
}

/**
 * The line that the wrapper runs. Reports a missing folder or program after the wrapper's word: the shell's own message
 * could not be told from the program's output.
 * @param output file for the command's stdout, readable by the login only
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

/** Parses what a wrapper reported after its word. */
export function readFact(text: string): WrapperFact {
  return /^\d+$/.test(text) ? { group: Number(text) } : { problem: text };
}

/** A quoted shell word without line breaks. */
export function quoted(text: string): string {
  if (text.includes('\0')) throw new MurmurError('INVALID_ARGUMENT', 'a command cannot contain a NUL character');
  return shellQuoted(text).replaceAll('\n', `'"$murmur_nl"'`);
}

function checkedName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  throw new MurmurError('INVALID_ARGUMENT', `${JSON.stringify(name)} is not a valid name of an environment variable`);
}
