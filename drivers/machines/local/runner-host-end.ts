// Takes a machine's runner out of the process that serves it, and finds such processes.
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { RunnerHostRecord } from '../../../contract/wire/runner.ts';
import { commandLines } from '../../../runner/isolation/process-table.ts';
import { killUntilGone } from './kill-until-gone.ts';
import { isHost, isListening } from '../../../runner/identity/processes.ts';
import { readRunnerFile } from './runner-files.ts';
import { callHost } from './runner-host-call.ts';

/**
 * A runner that is told to stop ends within 2 s unless its commands hang; these are ended after 7. One that takes longer is
 * frozen, and the process is killed with all that it serves.
 */
const DROP_LIMIT_MS = 12_000;

/** Resolves when no shared process serves the machine any more; no-op when none did. */
export async function dropRunner(runnerFolder: string): Promise<void> {
  const record = await readRunnerFile<RunnerHostRecord>(runnerFolder, 'host.json');
  // Without a record no process was asked.
  if (record === undefined) return;
  const { pid, request_id } = record;
  const machines = dirname(dirname(runnerFolder));
  if (!isHost(pid, machines)) return;
  const isUnchanged = async (): Promise<boolean> =>
    await isListening(pid, record.port, (await stat(join(runnerFolder, 'host.json'))).mtime);
  const access = record.proves === true ? record : { ...record, isUnchanged };
  try {
    await callHost(access, '/drop', { directory: runnerFolder, request_id }, DROP_LIMIT_MS);
  } catch (error) {
    // Its number belongs to another such process by now.
    if (error instanceof MurmurError && error.code === 'UNAUTHENTICATED') return;
    await killUntilGone(() => (isHost(pid, machines) ? [pid] : []));
  }
}

/** Every such process of the folder of machines. Linux only has them. */
export async function findRunnerHosts(machines: string): Promise<readonly number[]> {
  if (process.platform !== 'linux') return [];
  return [...(await commandLines()).keys()].filter((pid) => isHost(pid, machines));
}
