// Ends the runner of a local machine that is being stopped or destroyed.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RunnerEnd } from '../../../contract/wire/runner.ts';
import { commandLineOf, commandLines } from '../isolation/process-table.ts';
import { killUntilGone } from './kill-until-gone.ts';
import { readRunnerFile } from './runner-files.ts';
import { dropRunner } from './runner-host-end.ts';

/**
 * Ends the runner whose folder this is and waits until it is gone; the agent program goes with its runner. One that a
 * shared process serves is dropped there; those with a process of their own are killed, and found by their command line,
 * which names the folder: a runner that has just been started has no address yet.
 * Answers whether the runner had stopped in good order and left nothing inside: then nobody need look for it.
 */
export async function endRunner(runnerFolder: string): Promise<boolean> {
  const stopped = await readRunnerFile<RunnerEnd>(runnerFolder, 'ended.json');
  if (stopped === undefined) await dropRunner(runnerFolder);
  await killUntilGone(() => (stopped === undefined ? runnersOf(runnerFolder) : oneRunner(stopped.pid, runnerFolder)));
  return stopped !== undefined;
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
