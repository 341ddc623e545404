// Finds runners, and processes that serve several of them, in this host's process table. An agent can give a process any
// command line, so those of agents do not count. Imports no packages: the runner imports it too.
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { RunnerAddress } from '../../contract/wire/runner.ts';
import { createPortHolder, isHeldBy } from '../isolation/listening-sockets.ts';
import { commandLineOf, commandLines, isInsideNamespace, listProcesses } from '../isolation/process-table.ts';
import { HOST_FLAG } from './flags.ts';

/** The clock may have been changed since the process started. Process ids are not reused within this time. */
const CLOCK_STEP_MS = 60_000;

/** Processes that serve only the machine with this runner folder. */
export async function runnersOf(runnerFolder: string): Promise<readonly number[]> {
  const lines = await (process.platform === 'linux' ? linuxCommandLines() : otherCommandLines());
  return lines
    .filter(({ words }) => isRunner(words, runnerFolder))
    .map(({ pid }) => pid)
    .filter((pid) => pid !== process.pid && !isInsideNamespace(pid));
}

/** Whether the process serves only this machine. Linux only. */
export function isRunnerOf(pid: number, runnerFolder: string): boolean {
  const words = commandLineOf(pid);
  return words !== undefined && isRunner(words, runnerFolder) && !isInsideNamespace(pid);
}

/** Whether the process serves runners of this folder of machines. Linux only. */
export function isHost(pid: number, machines: string): boolean {
  const words = commandLineOf(pid);
  return words?.at(-1) === machines && words.at(-2) === HOST_FLAG && !isInsideNamespace(pid);
}

/** Whether the runner of build b35f5f2 that wrote this address still listens there. */
export async function isEarlyRunner(runnerFolder: string, { pid, port, started }: RunnerAddress): Promise<boolean> {
  const isServing =
    process.platform === 'linux'
      ? isRunnerOf(pid, runnerFolder) || isHost(pid, dirname(dirname(runnerFolder)))
      : (await runnersOf(runnerFolder)).includes(pid);
  return isServing && (await isListening(pid, port, new Date(started)));
}

/** Whether the process listens on the port and was running at that time. A later process with its id was not. */
export async function isListening(pid: number, port: number, at: Date): Promise<boolean> {
  const entry = (await listProcesses()).find((each) => each.pid === pid);
  if (entry === undefined || !(entry.started <= at.getTime() + CLOCK_STEP_MS)) return false;
  return (await createPortHolder((listener) => isHeldBy([pid], listener))(port)) === 'inside';
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
