// Takes a machine's runner out of the process that serves it, and ends such processes.
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { DropRequest, RunnerHostRecord } from '../../../contract/wire/runner.ts';
import { commandLineOf, commandLines } from '../isolation/process-table.ts';
import { callRunner } from '../runner-client.ts';
import { HOST_FLAG } from '../runner-flags.ts';
import { dialLoopback } from './machine.ts';

/**
 * A runner that is told to stop ends within 2 s unless its commands hang; these are ended after 7. One that takes longer is
 * frozen, and the process is killed with all that it serves.
 */
const DROP_LIMIT_MS = 12_000;
/** A killed process is gone within milliseconds; a busy host may take a while to say so. */
const GONE_LIMIT_MS = 10_000;
const LOOK_AGAIN_MS = 10;

/** Resolves when no shared process serves the machine any more; no-op when none did. */
export async function dropRunner(runnerFolder: string): Promise<void> {
  const record = await readRecord(runnerFolder);
  if (record === undefined) return;
  const machine = basename(dirname(runnerFolder));
  const machines = dirname(dirname(runnerFolder));
  if (!isHost(record.pid, machines)) return;
  try {
    const dial = (port: number) => dialLoopback(machine, port);
    const body: DropRequest = { directory: runnerFolder, request_id: record.request_id };
    const signal = AbortSignal.timeout(DROP_LIMIT_MS);
    await callRunner({ name: machine, dial }, record, { method: 'POST', path: '/drop', body, signal });
  } catch (error) {
    // Its number belongs to another such process by now.
    if (error instanceof MurmurError && error.code === 'UNAUTHENTICATED') return;
    await end([record.pid], machines, 'SIGKILL');
  }
}

/** Ends every such process of the folder of machines, in good order. Resolves when none runs. Linux only has them. */
export async function endRunnerHosts(machines: string): Promise<void> {
  if (process.platform !== 'linux') return;
  const pids = [...(await commandLines()).keys()].filter((pid) => isHost(pid, machines));
  await end(pids, machines, 'SIGTERM');
  await end(pids, machines, 'SIGKILL');
}

async function end(pids: readonly number[], machines: string, signal: NodeJS.Signals): Promise<void> {
  for (const pid of pids.filter((each) => isHost(each, machines))) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself.
    }
  }
  for (const until = Date.now() + GONE_LIMIT_MS; Date.now() < until; await delay(LOOK_AGAIN_MS)) {
    if (!pids.some((pid) => isHost(pid, machines))) return;
  }
}

function isHost(pid: number, machines: string): boolean {
  const words = commandLineOf(pid);
  return words?.at(-1) === machines && words.at(-2) === HOST_FLAG;
}

async function readRecord(runnerFolder: string): Promise<RunnerHostRecord | undefined> {
  try {
    return JSON.parse(await readFile(join(runnerFolder, 'host.json'), 'utf8')) as RunnerHostRecord;
  } catch {
    // There is none, or it was cut off: then the process was not asked yet.
    return undefined;
  }
}
