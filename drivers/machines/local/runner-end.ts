// Ends the runner of a local machine that is being stopped or destroyed.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RunnerEnd } from '../../../contract/wire/runner.ts';
import { dropRunner } from './runner-host-end.ts';
import { commandLineOf, commandLines } from '../isolation/process-table.ts';

/** A killed process is gone within milliseconds; a busy host may take a while to say so. */
const GONE_LIMIT_MS = 10_000;
const LOOK_AGAIN_MS = 10;

/**
 * Ends the runner whose folder this is and waits until it is gone; the agent program goes with its runner. One that a
 * shared process serves is dropped there; those with a process of their own are killed, and found by their command line,
 * which names the folder: a runner that has just been started has no address yet.
 * Answers whether the runner had stopped in good order and left nothing inside: then nobody need look for it.
 */
export async function endRunner(runnerFolder: string): Promise<boolean> {
  const stopped = await readEnd(runnerFolder);
  if (stopped === undefined) await dropRunner(runnerFolder);
  const find = stopped === undefined ? () => runnersOf(runnerFolder) : () => oneRunner(stopped.pid, runnerFolder);
  const end = Date.now() + GONE_LIMIT_MS;
  for (;;) {
    const pids = await find();
    if (pids.length === 0 || Date.now() > end) return stopped !== undefined;
    for (const pid of pids) kill(pid);
    await delay(LOOK_AGAIN_MS);
  }
}

async function readEnd(runnerFolder: string): Promise<RunnerEnd | undefined> {
  try {
    return JSON.parse(await readFile(join(runnerFolder, 'ended.json'), 'utf8')) as RunnerEnd;
  } catch {
    // There is none, or it was cut off.
    return undefined;
  }
}

function oneRunner(pid: number, runnerFolder: string): readonly number[] {
  const words = commandLineOf(pid);
  return words !== undefined && isRunner(words, runnerFolder) ? [pid] : [];
}

async function runnersOf(runnerFolder: string): Promise<readonly number[]> {
  const lines = await (process.platform === 'linux' ? linuxCommandLines() : otherCommandLines());
  return lines
    .filter(({ words }) => isRunner(words, runnerFolder))
    .map(({ pid }) => pid)
    .filter((pid) => pid !== process.pid);
}

function isRunner(words: readonly string[], runnerFolder: string): boolean {
  return words.at(-1) === runnerFolder && words.some((word) => word.startsWith(`${runnerFolder}/`));
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
