// The demo's output: headings, the commands that it runs and their results.
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';

/** A failed check; ends the demo with exit status 1. */
export class DemoFailure extends Error {}

/** Prints the claim with a tick. Throws DemoFailure, with the claim and the evidence, when it does not hold. */
export function check(holds: boolean, claim: string, evidence = ''): void {
  if (!holds) throw new DemoFailure(`check failed: ${claim}${evidence === '' ? '' : `\n${evidence}`}`);
  process.stdout.write(`  ✓ ${claim}\n`);
}

export function heading(text: string): void {
  process.stdout.write(`\n── ${text}\n`);
}

/** Throws DemoFailure when the promise takes longer than `minutes`. */
export async function withinMinutes<T>(minutes: number, promise: Promise<T>, what: string): Promise<T> {
  const limit = new AbortController();
  try {
    return await Promise.race([
      promise,
      delay(minutes * 60_000, undefined, { signal: limit.signal }).then(() => {
        throw new DemoFailure(`timed out after ${minutes.toString()} minutes: ${what}`);
      }),
    ]);
  } finally {
    limit.abort();
  }
}

/** Prints a text, indented. */
export function say(text: string): void {
  process.stdout.write(`${text.trimEnd().replaceAll(/^/gm, '  ')}\n`);
}

/** Prints each line of a stream as it arrives and passes it to `onLine`. Resolves when the stream ends. */
export async function showLines(stream: Readable, onLine: (line: string) => void = () => undefined): Promise<void> {
  for await (const line of createInterface({ input: stream })) {
    process.stdout.write(`  │ ${line}\n`);
    onLine(line);
  }
}

/** The `murmur` command with the demo's environment. */
export interface Murmur {
  /** Runs a command and prints its progress and result. Throws DemoFailure when it fails. */
  (args: readonly string[], options?: { readonly quiet?: boolean; readonly cwd?: string }): Promise<string>;
}

/** Time limit of one command. The longest one builds Temporal on a machine that has never run it. */
const COMMAND_LIMIT_MS = 20 * 60_000;

export function murmurCommand(program: string, env: NodeJS.ProcessEnv): Murmur {
  return async (args, { quiet = false, cwd } = {}) => {
    if (!quiet) process.stdout.write(`\n$ murmur ${args.map(quoted).join(' ')}\n`);
    const result = await execa(process.execPath, [program, ...args], {
      env,
      extendEnv: false,
      ...(cwd === undefined ? {} : { cwd }),
      stdin: 'ignore',
      stderr: quiet ? 'pipe' : ['pipe', 'inherit'],
      timeout: COMMAND_LIMIT_MS,
      reject: false,
    });
    if (result.failed) throw new DemoFailure(`murmur ${args.join(' ')} failed\n${result.stdout}\n${result.stderr}`);
    if (!quiet && result.stdout !== '') say(result.stdout);
    return result.stdout;
  };
}

function quoted(word: string): string {
  return /^[\w./:=@-]+$/.test(word) ? word : `"${word.replaceAll('"', '\\"')}"`;
}
