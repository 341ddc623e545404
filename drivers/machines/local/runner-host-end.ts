// Ends a machine's runner in the shared process that serves it, and finds such processes.
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
 * A stopping runner ends within 2 s, or within 7 s if it has to end hanging commands. A process that takes longer is
 * frozen; it is killed with all runners that it serves.
 */
const DROP_LIMIT_MS = 12_000;

/** Resolves once no shared process serves the machine. No-op when none did. */
export async function dropRunner(runnerFolder: string): Promise<void> {
  const record = await readRunnerFile<RunnerHostRecord>(runnerFolder, 'host.json');
  // Without a record, no shared process was asked to serve the machine.
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
    // Another such process has this process id by now.
    if (error instanceof MurmurError && error.code === 'UNAUTHENTICATED') return;
    await killUntilGone(() => (isHost(pid, machines) ? [pid] : []));
  }
}

/** The ids of all processes that serve runners of these machines. They exist on Linux only. */
export async function findRunnerHosts(machines: string): Promise<readonly number[]> {
  if (process.platform !== 'linux') return [];
  return [...(await commandLines()).keys()].filter((pid) => isHost(pid, machines));
}
