// Files of earlier builds that were copied to this host, and that nothing here uses any more.
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A copy of a build: the program and `murmur`, a runner, or what an attempt that was cut off has left of either. */
const SHIPPED = /^(?:[0-9a-f]{16}|runner-[0-9a-f]{16}\.c?js)(?:\.[0-9a-f]{16})?$/;
/**
 * Another installation may use this login too, and is then between the copying and the start of what it has copied: minutes on
 * a slow line. Each use renews the time.
 */
const KEPT_MS = 60 * 60_000;

export interface ShippedFiles {
  /** Where copies lie. */
  readonly folder: string;
  /** The copy that runs. */
  readonly own: string;
  /** Folder of the machines. */
  readonly machines: string;
}

/** Removes them. Never rejects: what cannot be removed now stays for the next start. */
export async function removeOldShipments({ folder, own, machines }: ShippedFiles): Promise<void> {
  try {
    const names = (await readdir(folder)).filter((name) => SHIPPED.test(name) && name !== own);
    const ages = await Promise.all(names.map(async (name) => Date.now() - (await stat(join(folder, name))).mtimeMs));
    const old = names.filter((_, index) => (ages[index] ?? 0) > KEPT_MS);
    if (old.length === 0) return;
    const uses = [...(await programsOf(machines)), ...(await commandLines())];
    for (const name of old) {
      const isUsed = uses.some((text) => text.includes(join(folder, name)));
      if (!isUsed) await rm(join(folder, name), { recursive: true, force: true });
    }
  } catch {
    // Another program of ours may be doing the same.
  }
}

/** The scripts by which the machines' agents start `murmur`. */
async function programsOf(machines: string): Promise<readonly string[]> {
  const names = await readdir(machines).catch(() => []);
  return await Promise.all(names.map((name) => textOf(join(machines, name, 'bin', 'murmur'))));
}

/** Of all processes that this login may see. */
async function commandLines(): Promise<readonly string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return await Promise.all(ids.map((id) => textOf(`/proc/${id}/cmdline`)));
}

async function textOf(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch(() => '');
}
