// Runs a program of the toolchain with Node, to its end or to the end of the time that is left.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** The script of an installed tool. */
export function bin(path: string): string {
  return join(ROOT, 'node_modules', path);
}

export interface Finished {
  /** Null when it was ended from outside. */
  readonly code: number | null;
  /** What it printed; empty when it printed to the terminal itself. */
  readonly output: string;
}

/** What a program is started in. */
export interface Surroundings {
  /** Variables beside those of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** It prints to the terminal as it goes. */
  readonly isShown?: boolean;
}

/** Resolves also when `end` is aborted and the program is killed. */
export function runBounded(
  args: readonly string[],
  end: AbortSignal,
  { env, isShown = false }: Surroundings = {},
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
