// Runs a program to its end, with limits of time and output. Of Murmur, imports only errors.
import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process';
import { MurmurError } from '../contract/wire/errors.ts';

export interface ChildOutput {
  /** Exit status; 128 for a program that a signal ended. */
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface OutputLimits {
  readonly timeoutMs: number;
  readonly input?: string | Buffer;
  /** More of stdout than this ends the program; 64 MB when absent. */
  readonly maxBytes?: number;
  /** Kills the program with its children. By default, kills only the program's own process. */
  readonly end?: (child: ChildProcess) => void;
}

const MAX_BYTES = 64 * 1024 * 1024;
/** Only the end of stderr is kept, because it has the error message. */
const STDERR_TAIL = 64 * 1024;
/** After the process has ended, waits at most this long for pipes that a grandchild keeps open. */
const PIPE_GRACE_MS = 500;

/**
 * Collects a child's output and exit status. Throws DEADLINE_EXCEEDED after the time limit, RESOURCE_EXHAUSTED for too
 * much output, and the spawn error itself (ENOENT) when the program cannot be started.
 */
export async function childOutput(child: ChildProcessWithoutNullStreams, limits: OutputLimits): Promise<ChildOutput> {
  const stdout: Buffer[] = [];
  let bytes = 0;
  let stderr = '';
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const end = limits.end ?? ((each: ChildProcess) => each.kill('SIGKILL'));
  const fail = (error: unknown): void => {
    end(child);
    reject(error);
  };
  const timer = setTimeout(
    () => fail(new MurmurError('DEADLINE_EXCEEDED', `${child.spawnfile} did not end in ${limits.timeoutMs / 1000} s`)),
    limits.timeoutMs,
  );
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > (limits.maxBytes ?? MAX_BYTES)) {
      return fail(new MurmurError('RESOURCE_EXHAUSTED', `${child.spawnfile} printed more than ${bytes} bytes`));
    }
    stdout.push(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_TAIL);
  });
  const status = (code: number | null): number => code ?? 128;
  child.once('error', fail);
  child.once('close', (code) => resolve(status(code)));
  child.once('exit', (code) => setTimeout(() => resolve(status(code)), PIPE_GRACE_MS).unref());
  // Ignores a program that ends without reading its input: its exit status counts.
  child.stdin.on('error', () => undefined);
  child.stdin.end(limits.input);
  try {
    return { code: await promise, stdout: Buffer.concat(stdout), stderr };
  } finally {
    clearTimeout(timer);
  }
}
