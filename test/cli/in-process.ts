// Runs commands in this process, from the sources: what they print and how they end is that of the program, without the
// fifth of a second of processor time that a process takes to start.
import { join } from 'node:path';
import { makeTerminal } from '../../cli/output/terminal.ts';
import { runCli } from '../../cli/run.ts';

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** All of the command's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  /** Called with all of stdout after each write. */
  readonly onOutput?: (stdout: string) => void;
}

/** The checkout. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** The version that commands tell as their own. */
const VERSION = '9.8.7';

/** Resolves for any exit status, with everything that was printed. */
export async function runInProcess(argv: readonly string[], options: RunOptions): Promise<RunResult> {
  const { cwd, env, onOutput, signal = new AbortController().signal, stdin = '' } = options;
  let stdout = '';
  let stderr = '';
  const collect = {
    write: (text: string) => {
      stdout += text;
      onOutput?.(stdout);
    },
  };
  const terminal = makeTerminal(collect, { write: (text) => (stderr += text) }, env);
  const code = await runCli(
    argv,
    { env, cwd, terminal, readStdin: () => Promise.resolve(stdin), signal, version: VERSION },
    { name: 'murmur', version: VERSION, root: ROOT, commands: 'cli/commands.ts' },
  );
  return { code, stdout, stderr };
}
