// Running a program to its end with bounds on time and output. Imports nothing of Murmur but errors.
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
  /** Ends the program and what it started; its own process alone when absent. */
  readonly end?: (child: ChildProcess) => void;
}

const MAX_BYTES = 64 * 1024 * 1024;
/** Error messages are at the end of stderr. */
const STDERR_TAIL = 64 * 1024;
/** After its process has ended, a pipe that a grandchild keeps open is not waited for longer than this. */
const PIPE_GRACE_MS = 500;

/**
 * Collects what a child prints and how it exits. Throws DEADLINE_EXCEEDED when the time is over, RESOURCE_EXHAUSTED
 * for too much output, and the spawn error itself (ENOENT) when the program cannot be started.
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
  // A program that ends without reading its input is judged by its exit status.
  child.stdin.on('error', () => undefined);
  child.stdin.end(limits.input);
  try {
    return { code: await promise, stdout: Buffer.concat(stdout), stderr };
  } finally {
    clearTimeout(timer);
  }
}
