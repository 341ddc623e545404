// Log files of the stack's processes. Each process appends to its own file directly, so that it keeps logging after the
// supervisor has ended.
import { copyFile, mkdir, open, rename, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { HomePaths } from '../config/home.ts';

/** Size of one file. With its predecessor, a process uses about twice this at most. */
const LOG_LIMIT_BYTES = 20_000_000;

export type LogName = 'supervisor' | 'temporal' | 'worker' | 'server';

/** Opens a log for appending. Renames a log that exceeds the limit first. Returns the file handle. */
export async function openLog(home: HomePaths, name: LogName) {
  await mkdir(dirname(home.logs[name]), { recursive: true, mode: 0o700 });
  const file = home.logs[name];
  if ((await sizeOf(file)) > LOG_LIMIT_BYTES) await rename(file, `${file}.1`);
  return open(file, 'a', 0o600);
}

/**
 * Rotates a log that a process has open: copies the content to another file and truncates the log. The writer appends,
 * so it continues at the new end. Lines between copy and truncation are lost, which is acceptable for a debug log.
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
