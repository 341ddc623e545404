// Runs a program and awaits its end. Imports Node built-ins only.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Limit of the output in bytes; a pack listing has some kilobytes. */
const OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * Resolves with its output. Throws, with the end of the output, if it fails or the time is over (it is then killed).
 */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv; readonly timeoutMs: number },
): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: OUTPUT_BYTES,
  });
  return stdout;
}
