// The free space of disks. All agents of the process share one look at each disk.
import { statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';

interface Watcher {
  readonly folder: string;
  readonly look: (freeBytes: number) => void;
}

interface Watch {
  readonly watchers: Set<Watcher>;
  readonly timer: NodeJS.Timeout;
}

/** By disk and interval. */
const watches = new Map<string, Watch>();

/**
 * Calls `look` with the free bytes of the folder's disk, now and after each interval, until the returned function is called.
 * Skips a look when the disk cannot be asked.
 */
export function watchFreeSpace(folder: string, intervalMs: number, look: Watcher['look']): () => void {
  const key = `${diskOf(folder)} ${String(intervalMs)}`;
  const watcher = { folder, look };
  const watch = watches.get(key) ?? begin(intervalMs);
  watches.set(key, watch);
  watch.watchers.add(watcher);
  void tell(new Set([watcher]));
  return () => {
    if (!watch.watchers.delete(watcher) || watch.watchers.size > 0) return;
    clearInterval(watch.timer);
    watches.delete(key);
  };
}

function begin(intervalMs: number): Watch {
  const watchers = new Set<Watcher>();
  const timer = setInterval(() => void tell(watchers), intervalMs);
  return { watchers, timer: timer.unref() };
}

async function tell(watchers: Watch['watchers']): Promise<void> {
  const free = await freeBytes([...watchers].map(({ folder }) => folder));
  if (free === undefined) return;
  for (const { look } of watchers) look(free);
}

/** Of the first of these folders that is there: one may be being removed. */
async function freeBytes(folders: readonly string[]): Promise<number | undefined> {
  for (const folder of folders) {
    try {
      const { bfree, bsize } = await statfs(folder);
      return bfree * bsize;
    } catch (error) {
      console.error(`the free space of the disk of ${folder} could not be read`, error);
    }
  }
  return undefined;
}

/** The number of the disk; the folder's own name when it is not there. */
function diskOf(folder: string): string {
  return statSync(folder, { throwIfNoEntry: false })?.dev.toString() ?? folder;
}
