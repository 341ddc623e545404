// Reads a file of the machine with a program inside the isolation, so that paths and links are always resolved with the
// rights of the agent.
import { once } from 'node:events';
import path from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { FileRequest } from '../../contract/wire/runner.ts';
import type { Isolation } from '../isolation/port.ts';

export interface ReadContext {
  readonly containment: Isolation;
  readonly env: Readonly<Record<string, string>>;
  /** Base of relative paths. */
  readonly cwd: string;
}

/** Exit statuses of the script that shells and `cat` do not use. */
const REFUSALS = { absent: 40, noFile: 41, closed: 42, outside: 43 } as const;

/**
 * Prints the file of its first argument. With a second argument, the file must lie in that folder. Checks before it
 * prints, and opens only regular files: a pipe would wait for a writer, a device may never end.
 */
const SCRIPT = [
  `[ -e "$1" ] || exit ${REFUSALS.absent}`,
  `[ -f "$1" ] || exit ${REFUSALS.noFile}`,
  `[ -r "$1" ] || exit ${REFUSALS.closed}`,
  `[ -z "$2" ] || { folder=$(realpath "$2") && file=$(realpath "$1") || exit ${REFUSALS.outside}`,
  `case "$file" in "$folder"/*) ;; *) exit ${REFUSALS.outside} ;; esac; }`,
  'exec cat "$1"',
].join('\n');

/** A failing program reports its reason in one line. */
const STDERR_LIMIT = 1_000;

/**
 * The pieces of the file. Throws NOT_FOUND when the agent sees no such file, and UNAVAILABLE when the reading breaks
 * off. Throws INVALID_ARGUMENT for a file that is not regular, not readable for the agent, or outside of `within`. The
 * program ends when the signal aborts or the caller leaves the loop.
 */
export async function* readFile(
  { path: asked, within }: FileRequest,
  { containment, cwd, env }: ReadContext,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const words = [absolute(asked, cwd), within === undefined ? '' : absolute(within, cwd)];
  // Starts in `/`, because the agent may have removed its working directory.
  const child = containment.spawn('/bin/sh', ['-c', SCRIPT, 'sh', ...words], { cwd: '/', env });
  const closed = once(child, 'close') as Promise<[number | null]>;
  // Awaited below. It may reject before that when the program cannot be started.
  closed.catch(() => undefined);
  const end = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  let stderr = '';
  child.stderr.on('data', (piece: Buffer) => {
    stderr = (stderr + piece.toString('utf8')).slice(0, STDERR_LIMIT);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end();
  let begun = false;
  try {
    for await (const piece of child.stdout as AsyncIterable<Buffer>) {
      begun = true;
      yield piece;
    }
    const [code] = await closed;
    if (code !== 0) throw begun || code === null ? brokenOff(asked) : refusal(asked, code, stderr);
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

/** Not normalized: only the system can resolve `..` after a link. */
function absolute(asked: string, cwd: string): string {
  return path.isAbsolute(asked) ? asked : `${cwd}/${asked}`;
}

function refusal(asked: string, code: number, stderr: string): MurmurError {
  const name = JSON.stringify(asked);
  const details = { path: asked };
  switch (code) {
    case REFUSALS.absent:
      return new MurmurError('NOT_FOUND', `there is no file ${name}`, {
        hint: "name a file that the agent sees; relative paths are relative to the agent's working directory",
        details,
      });
    case REFUSALS.noFile:
      return new MurmurError('INVALID_ARGUMENT', `${name} is not a regular file`, { details });
    case REFUSALS.closed:
      return new MurmurError('INVALID_ARGUMENT', `${name} cannot be read: permission denied`, { details });
    case REFUSALS.outside:
      return new MurmurError('INVALID_ARGUMENT', `${name} is a link that leads out of its folder`, { details });
    default: {
      const reason = stderr.trim().split('\n')[0] ?? '';
      const why = reason === '' ? `the reading program ended with ${String(code)}` : reason;
      return new MurmurError('INVALID_ARGUMENT', `${name} cannot be read: ${why}`, { details });
    }
  }
}

function brokenOff(asked: string): MurmurError {
  return new MurmurError('UNAVAILABLE', `reading ${JSON.stringify(asked)} broke off`, { hint: 'try it again' });
}
