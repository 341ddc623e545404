// The program's transcript of a session: `<home>/.claude/projects/<folder>/<id>.jsonl` and the folder `<id>` beside it.
// The agent can write there, so links are never followed. Built-ins only.
import type { Dirent } from 'node:fs';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openFolder } from '../agent-folder.ts';

const PROJECTS = ['.claude', 'projects'] as const;

/** The first prompt is within the first lines, and no prompt is longer than this. */
const HEAD_BYTES = 4 * 1024 * 1024;

/** Enough for the longest entry that a killed program can leave incomplete: a tool result or a prompt. */
const TAIL_BYTES = 64 * 1024 * 1024;

/**
 * Prepares the transcript and resolves with whether the session can be resumed. Removes an incomplete last line of a
 * killed program. Moves a transcript without a conversation away: the program would neither resume it nor start a new
 * session of that id.
 */
export async function prepareTranscript(home: string, sessionId: string): Promise<boolean> {
  let isResumable = false;
  for (const projectFolder of await transcriptFolders(home, sessionId)) {
    const folder = openFolder(home, [...PROJECTS, projectFolder]);
    try {
      const file = join(folder.path, `${sessionId}.jsonl`);
      if (await prepareFile(file)) isResumable = true;
      else await rename(file, `${file}.empty`);
    } finally {
      folder.close();
    }
  }
  return isResumable;
}

/** Prepares one transcript; whether it holds a conversation. */
async function prepareFile(file: string): Promise<boolean> {
  const handle = await open(file, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    await cutTornLine(handle);
    return await holdsConversation(handle);
  } finally {
    await handle.close();
  }
}

/** Absolute paths of all files of the session: the transcript and the files that it refers to. */
export async function sessionFiles(home: string, sessionId: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (const folder of await projectFolders(home)) {
    for (const entry of await entries(folder)) {
      const path = join(folder, entry.name);
      if (entry.isFile() && entry.name === `${sessionId}.jsonl`) files.push(path);
      if (entry.isDirectory() && entry.name === sessionId) files.push(...(await filesBelow(path)));
    }
  }
  return files.sort();
}

/** Names of the project folders that have a transcript of the session. */
async function transcriptFolders(home: string, sessionId: string): Promise<readonly string[]> {
  const name = `${sessionId}.jsonl`;
  const found: string[] = [];
  for (const folder of await projectFolders(home)) {
    const hasIt = (await entries(folder)).some((entry) => entry.isFile() && entry.name === name);
    if (hasIt) found.push(basename(folder));
  }
  return found;
}

async function projectFolders(home: string): Promise<readonly string[]> {
  try {
    const folder = openFolder(home, PROJECTS);
    try {
      const found = (await entries(folder.path)).filter((entry) => entry.isDirectory());
      return found.map(({ name }) => join(home, ...PROJECTS, name));
    } finally {
      folder.close();
    }
  } catch {
    return [];
  }
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const nested = (await entries(folder)).map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return await filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
  return (await Promise.all(nested)).flat();
}

/** The entries of a folder; none when it is missing. */
async function entries(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

async function cutTornLine(handle: FileHandle): Promise<void> {
  const { size } = await handle.stat();
  const start = Math.max(0, size - TAIL_BYTES);
  // The common case: the last byte is a newline.
  if (size === 0 || (await readRange(handle, size - 1, 1)).toString('latin1') === '\n') return;
  const tail = await readRange(handle, start, size - start);
  const lastLine = tail.subarray(tail.lastIndexOf('\n') + 1);
  // Only the newline is missing. The program would append to the line, so add it.
  if (isJson(lastLine)) await handle.write('\n', size);
  else await handle.truncate(size - lastLine.length);
}

async function holdsConversation(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  const head = await readRange(handle, 0, Math.min(size, HEAD_BYTES));
  return /"type":"(user|assistant)"/.test(head.toString('latin1'));
}

async function readRange(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function isJson(line: Buffer): boolean {
  try {
    JSON.parse(line.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
