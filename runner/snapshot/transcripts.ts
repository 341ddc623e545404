// Copies the files of the conversation out of and into the agent's home. The agent can replace them by links, so links
// are never followed.
import { closeSync, constants, createReadStream, createWriteStream, fchmodSync, fchownSync, fstatSync } from 'node:fs';
import { lstatSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { inFolder, isBelow, liesBelow } from '../backends/agent-folder.ts';
import type { Isolation } from '../isolation/port.ts';
import { refuseSparse, transcriptRoom } from './room.ts';
import type { Room } from './room.ts';
import type { Scrubber } from '../secrets/scrubber.ts';

/**
 * Copies the files below `home` to `target`, without secrets. Returns their paths relative to `home`. Skips everything
 * but regular files of the agent below `home`. Throws RESOURCE_EXHAUSTED when the room is too small.
 */
export async function saveTranscripts(
  files: readonly string[],
  options: { readonly home: string; readonly target: string; readonly scrubber: Scrubber; readonly room: Room },
): Promise<readonly string[]> {
  const { home, target, scrubber } = options;
  const room = transcriptRoom(options.room, files.length);
  const saved: string[] = [];
  for (const file of files) {
    const relative = path.relative(home, file);
    const descriptor = isBelow(relative) ? openOwn(file, home) : undefined;
    if (descriptor === undefined) continue;
    const copy = path.join(target, relative);
    mkdirSync(path.dirname(copy), { recursive: true, mode: 0o700 });
    // Only up to the initial size: a program that still writes must not make the copy endless.
    const size = checkedSize(descriptor, relative, room);
    if (size === 0) closeSync(descriptor);
    const source = size === 0 ? [] : createReadStream('', { fd: descriptor, end: size - 1 });
    const clean = scrubber.stream(source as AsyncIterable<Buffer>);
    await pipeline(room.fill(clean), createWriteStream(copy, { mode: 0o600 }));
    saved.push(relative);
  }
  return saved;
}

/** The number of bytes to copy. Closes the file when it is too large. */
function checkedSize(descriptor: number, name: string, room: Room): number {
  try {
    const found = fstatSync(descriptor);
    refuseSparse(name, found);
    room.require(found.size);
    return found.size;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Copies saved files to an agent's home, for its user. Existing files are newer and stay. */
export async function putTranscripts(
  names: readonly string[],
  { source, home, user }: { readonly source: string; readonly home: string; readonly user: Isolation['user'] },
): Promise<void> {
  for (const name of names.filter(isBelow)) {
    const folders = path
      .dirname(name)
      .split(path.sep)
      .filter((each) => each !== '.');
    const create = (folder: string): number | undefined => createNew(path.join(folder, path.basename(name)));
    const descriptor = inFolder(home, folders, create, { user });
    if (descriptor === undefined) continue;
    fchmodSync(descriptor, 0o600);
    if (user !== undefined) fchownSync(descriptor, user.uid, user.gid);
    await pipeline(createReadStream(path.join(source, name)), createWriteStream('', { fd: descriptor }));
  }
}

function openOwn(file: string, home: string): number | undefined {
  let descriptor: number;
  try {
    // NONBLOCK: otherwise, opening a pipe waits for ever.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  const found = fstatSync(descriptor);
  // Several hard links may mean another user's file that was linked into the home.
  const isOwn = found.isFile() && (found.uid === lstatSync(home).uid || found.nlink === 1);
  if (isOwn && liesBelow(descriptor, file, home)) return descriptor;
  closeSync(descriptor);
  return undefined;
}

function createNew(file: string): number | undefined {
  try {
    return openSync(file, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
}
