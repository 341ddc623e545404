// Log files of the stack's processes. Each process appends to its own file directly, so that it goes on logging when the
// supervisor is gone.
import { copyFile, mkdir, open, rename, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { HomePaths } from '../config/home.ts';

/** One file; with its predecessor a process uses at most about twice this. */
const LOG_LIMIT_BYTES = 20_000_000;

export type LogName = 'supervisor' | 'temporal' | 'worker' | 'server';

/** Opens a log for appending, after moving one that has grown past the limit aside. Returns the file descriptor's owner. */
export async function openLog(home: HomePaths, name: LogName) {
  await mkdir(dirname(home.logs[name]), { recursive: true, mode: 0o700 });
  const file = home.logs[name];
  if ((await sizeOf(file)) > LOG_LIMIT_BYTES) await rename(file, `${file}.1`);
  return open(file, 'a', 0o600);
}

/**
 * Shortens a log that a process has open: the content is copied aside and the file emptied. The writer appends, so it
 * goes on at the new end; lines written between copy and emptying are lost, which a debug log can bear.
 */
export async function rotateLive(home: HomePaths, name: LogName, limit = LOG_LIMIT_BYTES): Promise<void> {
  const file = home.logs[name];
  if ((await sizeOf(file)) <= limit) return;
  await copyFile(file, `${file}.1`);
  await truncate(file, 0);
}

/** The last lines of a log, for an error message; empty when there is none. */
export async function tailOf(home: HomePaths, name: LogName, lines = 5): Promise<string> {
  const bytes = 8_192;
  try {
    const handle = await open(home.logs[name], 'r');
    try {
      const { size } = await handle.stat();
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, Math.max(0, size - bytes));
      return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-lines).join('\n');
    } finally {
      await handle.close();
    }
  } catch {
    return '';
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    (found) => found.size,
    () => 0,
  );
}
