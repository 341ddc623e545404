// Ends the runner of a local machine that is being stopped or destroyed.
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { commandLines } from '../isolation/process-table.ts';

/** A killed process is gone within milliseconds; a busy host may take a while to say so. */
const GONE_LIMIT_MS = 10_000;
const LOOK_AGAIN_MS = 10;

/**
 * Kills every runner whose folder this is and waits until they are gone; the agent program goes with its runner. They
 * are found by their command line, which names the folder: a runner that has just been started has no address yet.
 */
export async function endRunner(runnerFolder: string): Promise<void> {
  const end = Date.now() + GONE_LIMIT_MS;
  for (;;) {
    const pids = await runnersOf(runnerFolder);
    if (pids.length === 0 || Date.now() > end) return;
    for (const pid of pids) kill(pid);
    await delay(LOOK_AGAIN_MS);
  }
}

async function runnersOf(runnerFolder: string): Promise<readonly number[]> {
  const lines = await (process.platform === 'linux' ? linuxCommandLines() : otherCommandLines());
  return lines
    .filter(({ words }) => words.at(-1) === runnerFolder && words.some((word) => word.startsWith(`${runnerFolder}/`)))
    .map(({ pid }) => pid)
    .filter((pid) => pid !== process.pid);
}

interface CommandLine {
  readonly pid: number;
  readonly words: readonly string[];
}

async function linuxCommandLines(): Promise<readonly CommandLine[]> {
  return [...(await commandLines())].map(([pid, words]) => ({ pid, words }));
}

async function otherCommandLines(): Promise<readonly CommandLine[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,command='], { maxBuffer: 16 * 1024 * 1024 });
  return stdout.split('\n').map((line) => {
    const [pid = '', ...words] = line.trim().split(' ');
    return { pid: Number(pid), words };
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
