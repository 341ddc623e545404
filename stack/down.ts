// `murmur down`: ends every process of the stack and keeps all data.
import { existsSync } from 'node:fs';
import type { HomePaths } from '../config/home.ts';
import type { StackRecord } from '../contract/stack.ts';
import { endProcess, isRunning } from './process.ts';
import { readRecord, removeRecord, withStartLock } from './record.ts';
import { stopRunners } from './runners.ts';
import { endLeftovers } from './supervisor/leftovers.ts';

/** The sum of the supervisor's time limits for worker, runners, server and Temporal, which it stops in sequence. */
const SUPERVISOR_GRACE_MS = 60_000;

export interface DownResult {
  /** False when nothing was running. */
  readonly was_running: boolean;
}

/**
 * Stops the stack: the worker hands over its turns, runners end running work, then the API server and Temporal stop.
 * Idempotent. When it resolves, no process of the stack is left.
 */
export async function down(home: HomePaths, onProgress: (message: string) => void): Promise<DownResult> {
  if (!existsSync(home.root)) return { was_running: false };
  const record = await readRecord(home);
  if (record === undefined) return { was_running: await withStartLock(home, () => clean(home, onProgress)) };
  onProgress('stopping: cutting off and saving turns, then ending the processes');
  const ended = await endProcess(record.supervisor, SUPERVISOR_GRACE_MS);
  const left = await withStartLock(home, () => clean(home, onProgress));
  return { was_running: ended !== 'absent' || left };
}

/** Ends what a killed supervisor left running. */
async function clean(home: HomePaths, onProgress: (message: string) => void): Promise<boolean> {
  const record: StackRecord | undefined = await readRecord(home);
  // A supervisor that was started meanwhile is a later request. It keeps running.
  if (record !== undefined && (await isRunning(record.supervisor))) return false;
  const machines: string[] = [];
  const left = await endLeftovers(home, record?.children ?? {}, async () => {
    machines.push(...(await stopRunners(home)));
  });
  if (left) onProgress('ended the processes of a killed supervisor');
  await removeRecord(home);
  return left || machines.length > 0;
}
