// Our files on a host: the program that manages its machines, and `murmur` for its agents.
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { HostFiles } from './files.ts';

/** Path within the shipment → file on this host. */
export type Shipment = Readonly<Record<string, string>>;

/** The entry of the program. */
export const HOST_PROGRAM = 'dist/machines.js';

const digests = new WeakMap<Shipment, Promise<string>>();

/** A hash of the shipment's content. Computed once: the files of a build do not change. */
async function digestOf(shipment: Shipment): Promise<string> {
  const known = digests.get(shipment) ?? computeDigest(shipment);
  digests.set(shipment, known);
  return await known;
}

async function computeDigest(shipment: Shipment): Promise<string> {
  const hash = createHash('sha256');
  for (const [path, file] of Object.entries(shipment).sort(([one], [other]) => (one < other ? -1 : 1))) {
    hash.update(`\0${path}\0`).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * The folder of the shipment on the host, below `parent`. Copied if missing, and renamed once complete: of two
 * concurrent callers, one discards its copy.
 */
export async function deliver(files: HostFiles, parent: string, shipment: Shipment): Promise<string> {
  const folder = posix.join(parent, await digestOf(shipment));
  // Its time says that it is used: see old-shipments.ts.
  if (await files.touch(folder)) return folder;
  const partial = `${folder}.${randomBytes(8).toString('hex')}`;
  for (const [path, file] of Object.entries(shipment)) {
    await files.write(posix.join(partial, path), createReadStream(file));
  }
  // Agents read and run the files, with their own user ids.
  await files.open(partial);
  try {
    await files.moveFolder(partial, folder);
  } catch (error) {
    if ((await files.size(folder)) === undefined) throw error;
    await files.removeFolder(partial);
  }
  return folder;
}

/** The path of a file on the host, below `parent`, named by its content. Copied if missing. */
export async function deliverFile(files: HostFiles, parent: string, file: string): Promise<string> {
  const content = await readFile(file);
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 16);
  const name = /^(.*?)(?:-[0-9a-f]{16})?(\.c?js)$/.exec(posix.basename(file));
  if (name === null) throw new MurmurError('INTERNAL', `${file} is not a script`);
  const path = posix.join(parent, `${name[1] ?? ''}-${digest}${name[2] ?? ''}`);
  if (!(await files.touch(path))) {
    await files.write(
      path,
      (async function* () {
        yield await Promise.resolve(content);
      })(),
    );
  }
  return path;
}
