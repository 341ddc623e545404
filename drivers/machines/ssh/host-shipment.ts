// The files that are copied to a host: `murmur` for its agents, and the program that manages its machines.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { IS_PUBLISHED, publishedFile } from '../../../config/package.ts';
import { MurmurError } from '../../../contract/wire/errors.ts';
import { programBundle } from '../../bundle-cache.ts';
import { MURMUR_SOURCES, murmurShipment } from '../../shipment/murmur.ts';
import type { Shipment } from '../../shipment/shipment.ts';
import type { HostFiles } from './files.ts';

/** The entry of the program. */
export const HOST_PROGRAM = 'dist/machines.js';

/** Returns the files, built on demand in the folder. Always the same object. */
export function shipmentFrom(cacheFolder: string): () => Promise<Shipment> {
  let made: Promise<Shipment> | undefined;
  return () => {
    made ??= makeShipment(cacheFolder).catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

async function makeShipment(cacheFolder: string): Promise<Shipment> {
  const [murmur, program] = await Promise.all([murmurShipment(cacheFolder), hostProgram(cacheFolder)]);
  return { ...murmur, [HOST_PROGRAM]: program };
}

async function hostProgram(cacheFolder: string): Promise<string> {
  if (IS_PUBLISHED) return publishedFile('machines.js');
  return await programBundle(cacheFolder, {
    name: 'machines',
    sources: MURMUR_SOURCES,
    entry: 'drivers/machines/ssh/host/main.ts',
    format: 'esm',
    options: { minifySyntax: true, external: ['typescript', 'esbuild', 'ssh2', '@temporalio/*'] },
  });
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
