// What the shell reads that becomes the agent's program: its limits and its environment, as shell text in a pipe. Only
// that shell, which has no rights left, reads the pipe: the environment is in no command line, no file and no environment
// of a program with more rights.
import type { Readable, Writable } from 'node:stream';
import { MurmurError } from '../../contract/wire/errors.ts';
import { MARKER } from './marker.ts';

/** Names that a shell can export; it passes no others on. */
const EXPORTABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface ProgramScript {
  /** Run first; what they complain about goes nowhere. */
  readonly lines: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Name of the machine, in every program's environment. */
  readonly machine: string;
}

/**
 * For a shell with its own input at descriptor 4 and the working directory, the program and its arguments as arguments.
 * The directory is entered as the agent's user, who may not enter all that root may.
 *
 * Names that no shell can export are left out. A variable that the shell keeps read-only, such as UID in bash, is left as
 * the shell has it. Throws INVALID_ARGUMENT for a value that no environment can hold.
 */
export function programScript({ lines, env, machine }: ProgramScript): string {
  const variables = Object.entries({ ...env, [MARKER]: machine }).filter(([name]) => EXPORTABLE.test(name));
  return [
    'exec 5>&2 2>/dev/null',
    ...lines,
    ...variables.map(([name, value]) => exportLine(name, value)),
    // On one line, since the shell reads its next one from what is its input by then.
    'exec 0<&4 4<&- 2>&5 5>&-; cd -- "$1" || exit 126; shift; exec "$@"',
    '',
  ].join('\n');
}

function exportLine(name: string, value: string): string {
  if (value.includes('\0')) {
    throw new MurmurError('INVALID_ARGUMENT', `the value of ${name} holds a zero byte`, {
      hint: 'an environment variable cannot hold one: encode the value, in base64 for instance',
    });
  }
  // Without `command`, a refused `export` ends a POSIX shell.
  return `command export ${name}=${shellQuoted(value)}`;
}

/** A word that a shell takes as it is. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Writes a script into an extra stream of a child and closes it. A child that ends before it has read all is no error. */
export function sendScript(stream: Readable | Writable | null | undefined, script: string): void {
  const pipe = stream as Writable;
  pipe.on('error', () => undefined);
  // Both directions: the child's `close` event waits for this stream.
  pipe.end(script, () => pipe.destroy());
}
