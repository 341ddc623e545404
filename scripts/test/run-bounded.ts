// Runs a program of the toolchain with Node, within the time limit of the caller.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** The script of an installed tool. */
export function bin(path: string): string {
  return join(ROOT, 'node_modules', path);
}

export interface Finished {
  /** Null if the program was killed. */
  readonly code: number | null;
  /** Its output; empty if it printed to the terminal directly. */
  readonly output: string;
}

/** How a program is started. */
export interface ProgramOptions {
  /** Added to the variables of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Whether it prints to the terminal directly. */
  readonly isShown?: boolean;
}

/** Resolves when the program has ended. An abort of `end` kills it. */
export function runBounded(
  args: readonly string[],
  end: AbortSignal,
  { env, isShown = false }: ProgramOptions = {},
): Promise<Finished> {
  const output = isShown ? 'inherit' : 'pipe';
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', output, output],
    });
    let printed = '';
    const kill = (): boolean => child.kill('SIGKILL');
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (printed += text));
    }
    end.addEventListener('abort', kill);
    if (end.aborted) kill();
    child.once('close', (code) => {
      end.removeEventListener('abort', kill);
      resolve({ code, output: printed });
    });
  });
}
