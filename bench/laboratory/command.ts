// Times commands from start to exit. Imports Node built-ins and the clock only.
import { spawn } from 'node:child_process';
import { now } from '../clock.ts';

/** Milliseconds that Node takes with these arguments. Throws if the exit status is not 0. */
export async function timeNode(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<number> {
  const began = now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options });
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const [exit, ended] = await new Promise<[number | null, number]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve([code, now()]));
  });
  if (exit !== 0)
    throw new Error(`node ${args.join(' ')} ended with ${String(exit)}: ${Buffer.concat(errors).toString()}`);
  return ended - began;
}
