// How the demo shows itself: headings, the commands it types and what they print.
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';

/** A step that was not really so; ends the demo with a failure. */
export class DemoFailure extends Error {}

/** Throws DemoFailure naming the claim when it does not hold; prints it with a tick when it does. */
export function check(holds: boolean, claim: string, evidence = ''): void {
  if (!holds) throw new DemoFailure(`${claim}: not so${evidence === '' ? '' : `\n${evidence}`}`);
  process.stdout.write(`  ✓ ${claim}\n`);
}

export function heading(text: string): void {
  process.stdout.write(`\n── ${text}\n`);
}

/** Throws DemoFailure when the promise takes longer. */
export async function withinMinutes<T>(minutes: number, promise: Promise<T>, what: string): Promise<T> {
  const limit = new AbortController();
  try {
    return await Promise.race([
      promise,
      delay(minutes * 60_000, undefined, { signal: limit.signal }).then(() => {
        throw new DemoFailure(`${what}: not within ${minutes.toString()} minutes`);
      }),
    ]);
  } finally {
    limit.abort();
  }
}

/** Prints what is worth knowing, indented. */
export function say(text: string): void {
  process.stdout.write(`${text.trimEnd().replaceAll(/^/gm, '  ')}\n`);
}

/** Prints each line of a stream behind a bar as it comes, and hands it on. Resolves when the stream ends. */
export async function showLines(stream: Readable, onLine: (line: string) => void = () => undefined): Promise<void> {
  for await (const line of createInterface({ input: stream })) {
    process.stdout.write(`  │ ${line}\n`);
    onLine(line);
  }
}

/** The `murmur` command with the demo's environment. */
export interface Murmur {
  /** Types a command, shows its progress and its result. Throws DemoFailure when it fails. */
  (args: readonly string[], options?: { readonly quiet?: boolean; readonly cwd?: string }): Promise<string>;
}

/** How long one command may take; the longest builds Temporal on a machine that has never run it. */
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
