// Following a log file by the system's file notifications.
import type { FSWatcher } from 'node:fs';
import { watch } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogEntry } from '../../contract/wire/events.ts';
import { LOG_FILE } from './agent-folder.ts';
import { entriesFrom, LOG_START, seek } from './log-file.ts';

/** The system drops notifications when its queue is full (16,384 on Linux); a follower then lags by this much. */
const RECHECK_MS = 5_000;
/** Without a watch (the system has a limit on them, 8,192 on small hosts), looking again is all that is left. */
const UNWATCHED_RECHECK_MS = 250;

/** Entries above `after`, then each as it comes; ends when the signal aborts. The folder is made when it is missing. */
export async function* followFile(folder: string, after: number, signal: AbortSignal): AsyncGenerator<LogEntry> {
  if (signal.aborted) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The folder is watched, not the file, which may not exist yet; before the first read, so that no change is missed.
  using changes = watchChanges(folder, signal);
  let position = LOG_START;
  let isPlaced = false;
  while (!signal.aborted) {
    changes.forget();
    await using file = await openLog(join(folder, LOG_FILE));
    if (file !== undefined) {
      if (!isPlaced) position = await seek(file, (await file.stat()).size, after);
      isPlaced = true;
      for await (const read of entriesFrom(file, position)) {
        if (signal.aborted) return;
        position = read.position;
        if (read.entry !== undefined && read.entry.id > after) yield read.entry;
      }
    }
    await changes.next();
  }
}

interface Changes extends Disposable {
  /** Drops what was noticed: the caller is about to look. */
  forget(): void;
  /** Resolves at the first change since `forget`, at an abort, or when it is time to look again. */
  next(): Promise<void>;
}

function watchChanges(folder: string, signal: AbortSignal): Changes {
  let hasChanged = false;
  let wake: (() => void) | undefined;
  const notice = (): void => {
    hasChanged = true;
    wake?.();
  };
  const watcher = tryWatch(folder, notice);
  signal.addEventListener('abort', notice);
  return {
    forget: () => {
      hasChanged = false;
    },
    next: () => {
      if (hasChanged || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, watcher === undefined ? UNWATCHED_RECHECK_MS : RECHECK_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', notice);
      watcher?.close();
      wake?.();
    },
  };
}

function tryWatch(folder: string, notice: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, (_event, name) => {
      // Children's folders lie beside the file; the name is absent on some systems.
      if (name === null || name === LOG_FILE) notice();
    });
    // A folder that is removed while it is watched; the next look finds out.
    watcher.on('error', notice);
    return watcher;
  } catch {
    return undefined;
  }
}

async function openLog(path: string): Promise<Awaited<ReturnType<typeof open>> | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
