// `murmur` for the agents of this host. A checkout bundles it: from its sources, each start takes half a second longer.
import { chmod, mkdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { HomePaths } from '../../../config/home.ts';
import { IS_PUBLISHED } from '../../../config/package.ts';
import { MURMUR_ENTRY, murmurShipment } from '../../shipment/murmur.ts';
import { removeOldShipments } from '../../shipment/old-shipments.ts';
import { deliver, type ShipmentFiles } from '../../shipment/shipment.ts';
import { OWN_MURMUR } from '../configured.ts';
import { isMissing } from './record.ts';

/**
 * The path of the bundled `murmur`, for Node. A published package has it. In a checkout, the bundles of this build are
 * in `programs` of MURMUR_HOME, and those of earlier builds are removed once nothing uses them. Throws when they cannot
 * be built or written.
 * @param cacheFolder where bundles are kept that any MURMUR_HOME can use
 */
export async function bundledMurmur(
  { programs, machines }: Pick<HomePaths, 'programs' | 'machines'>,
  cacheFolder: string,
): Promise<string> {
  if (IS_PUBLISHED) return OWN_MURMUR;
  const shipment = await murmurShipment(cacheFolder);
  await mkdir(programs, { recursive: true });
  // Agents with a user of their own pass through it. The umask applies to the mode of mkdir.
  await chmod(programs, 0o755);
  const folder = await deliver(HERE, programs, shipment);
  await removeOldShipments({ folder: programs, own: basename(folder), machines });
  return join(folder, MURMUR_ENTRY);
}

/** The files of this host. */
const HERE: ShipmentFiles = {
  touch: async (path) => (await unlessMissing(utimes(path, new Date(), new Date()).then(() => true))) ?? false,
  size: async (path) => (await unlessMissing(stat(path)))?.size,
  write: async (path, source) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, source);
  },
  open: async (folder) => void (await promisify(execFile)('chmod', ['-R', 'u=rwX,go=rX', folder])),
  // The system replaces an empty folder only, and a delivered one is not.
  moveFolder: rename,
  removeFolder: (folder) => rm(folder, { recursive: true, force: true }),
};

async function unlessMissing<Value>(found: Promise<Value>): Promise<Value | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
