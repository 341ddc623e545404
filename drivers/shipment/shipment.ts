// Our files for agents, in a folder that is named by their content: on this host, or on one that is reached by ssh.
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';

/** Path within the shipment → file on this host. */
export type Shipment = Readonly<Record<string, string>>;

/** The files of the host that gets a shipment. Paths are absolute. */
export interface ShipmentFiles {
  /** Renews the time of a file or folder; false when it is not there. */
  touch(path: string): Promise<boolean>;
  /** Writes a file and creates its parents. */
  write(path: string, source: AsyncIterable<Uint8Array>): Promise<void>;
  /** Lets every user read a folder and everything below it. */
  open(folder: string): Promise<void>;
  /** Renames a folder. Throws when something has the new name. */
  moveFolder(from: string, to: string): Promise<void>;
  /** The size in bytes; undefined when nothing is there. */
  size(path: string): Promise<number | undefined>;
  removeFolder(folder: string): Promise<void>;
}

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
 * The folder of the shipment, below `parent`. Copied if missing, and renamed once complete: of two
 * concurrent callers, one discards its copy.
 */
export async function deliver(files: ShipmentFiles, parent: string, shipment: Shipment): Promise<string> {
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
