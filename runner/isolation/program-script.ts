// The script of the shell that becomes the agent's program: limits and environment, sent through a pipe. Only that
// shell, which has dropped its rights, reads the pipe. So the environment is in no command line, no file and no
// environment of a process with more rights.
import type { Readable, Writable } from 'node:stream';
import { MurmurError } from '../../contract/wire/errors.ts';
import { MARKER } from './marker.ts';

/** Names that a shell can export. It does not pass on others. */
const EXPORTABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface ProgramScript {
  /** Shell lines that run first. Their errors are discarded. */
  readonly lines: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Name of the machine, in every program's environment. */
  readonly machine: string;
}

/**
 * For a shell whose descriptor 4 is the program's input, and whose arguments are the working directory, the program and
 * its arguments. The shell enters the directory as the agent's user, which cannot enter every directory that root can.
 *
 * Omits names that a shell cannot export. Variables that are read-only in the shell, such as UID in bash, keep the
 * shell's value. Throws INVALID_ARGUMENT for a value that an environment cannot contain.
 */
export function programScript({ lines, env, machine }: ProgramScript): string {
  const variables = Object.entries({ ...env, [MARKER]: machine }).filter(([name]) => EXPORTABLE.test(name));
  return [
    'exec 5>&2 2>/dev/null',
    ...lines,
    ...variables.map(([name, value]) => exportLine(name, value)),
    // On one line: the shell would read the next line from its new input.
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
  // Without `command`, a failing `export` ends a POSIX shell.
  return `command export ${name}=${shellQuoted(value)}`;
}

/** Quotes a word for a shell. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Writes a script to an extra stream of a child and closes it. Ignores a child that ends before it has read everything.
 */
export function sendScript(stream: Readable | Writable | null | undefined, script: string): void {
  const pipe = stream as Writable;
  pipe.on('error', () => undefined);
  // Destroys both directions: the child's `close` event waits for this stream.
  pipe.end(script, () => pipe.destroy());
}
