// Ends a set of processes that may fork, leave their group or change their name meanwhile. Built-ins only.
import { setTimeout as delay } from 'node:timers/promises';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { ProcessEntry } from './process-table.ts';
import { listProcesses, START_PRECISION_MS } from './process-table.ts';

/** A killed process is gone within milliseconds, or seconds if it waits for a disk. */
export const END_LIMIT_MS = 10_000;
/** Polling interval: the system does not notify about the end of a process that is not a child. */
const LOOK_AGAIN_MS = 5;

/** Chooses processes of a process table. Called repeatedly, each time with a new table. */
export type ChooseProcesses = (table: readonly ProcessEntry[]) => Promise<Iterable<number>> | Iterable<number>;

/**
 * Kills the chosen processes and waits until they are gone. Sends SIGSTOP first, so that none forks between the listing
 * and the kill. Never kills this process. Throws UNAVAILABLE when a process does not end within 10 s.
 */
export async function endProcesses(choose: ChooseProcesses): Promise<void> {
  const killed = new Map<number, number>();
  for (const end = Date.now() + END_LIMIT_MS; ;) {
    const stopped = await chosen(choose, killed);
    if (stopped.length === 0) return;
    if (Date.now() > end) throw unending(stopped.map(({ pid }) => pid));
    for (const { pid } of stopped) signal(pid, 'SIGSTOP');
    for (const { pid, started } of await chosen(choose, killed)) {
      killed.set(pid, started);
      signal(pid, 'SIGKILL');
    }
    await delay(LOOK_AGAIN_MS);
  }
}

/** The chosen processes and killed ones that still exist: without its parent, a child may no longer be found. */
async function chosen(choose: ChooseProcesses, killed: ReadonlyMap<number, number>): Promise<readonly ProcessEntry[]> {
  const table = await listProcesses();
  const pids = new Set(await choose(table));
  return table.filter(
    ({ pid, started, isZombie }) =>
      !isZombie && pid !== process.pid && (pids.has(pid) || isSame(killed.get(pid), started)),
  );
}

/** Whether the id still belongs to the killed process: ids are reused. */
function isSame(killed: number | undefined, started: number): boolean {
  return killed !== undefined && Math.abs(killed - started) <= START_PRECISION_MS;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has already ended.
  }
}

/** The error for processes that still run after the limit. */
export function unending(pids: readonly number[]): MurmurError {
  const limit = `${(END_LIMIT_MS / 1_000).toString()} s`;
  return new MurmurError('UNAVAILABLE', `processes do not end within ${limit} of being killed: ${pids.join(', ')}`);
}
