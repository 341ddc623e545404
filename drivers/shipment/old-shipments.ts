// Removes the shipments of earlier builds that no process and no machine of this host uses any more.
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { commandLines } from '../../runner/isolation/process-table.ts';

/** Names of copies: the program with `murmur`, a runner, or a partial copy of either. */
const SHIPPED = /^(?:[0-9a-f]{16}|runner-[0-9a-f]{16}\.c?js)(?:\.[0-9a-f]{16})?$/;
/**
 * A copy younger than this is kept. Another installation may use this login too. On a slow line, minutes can pass
 * between its copying and the start of what it copied. Each use renews the time.
 */
const KEPT_MS = 60 * 60_000;

export interface ShippedFiles {
  /** Folder of the copies. */
  readonly folder: string;
  /** The copy that runs. */
  readonly own: string;
  /** Folder of the machines. */
  readonly machines: string;
}

/** Removes the unused copies. Never rejects: the next start tries again. */
export async function removeOldShipments({ folder, own, machines }: ShippedFiles): Promise<void> {
  try {
    const names = (await readdir(folder)).filter((name) => SHIPPED.test(name) && name !== own);
    const ages = await Promise.all(names.map(async (name) => Date.now() - (await stat(join(folder, name))).mtimeMs));
    const old = names.filter((_, index) => (ages[index] ?? 0) > KEPT_MS);
    if (old.length === 0) return;
    // Where there is no /proc, as on macOS, machines' programs decide alone. What runs has read its file.
    const running = [...(await commandLines()).values()].flat();
    const uses = [...(await programsOf(machines)), ...running];
    for (const name of old) {
      const isUsed = uses.some((text) => text.includes(join(folder, name)));
      if (!isUsed) await rm(join(folder, name), { recursive: true, force: true });
    }
  } catch {
    // Another program of ours may be removing the same files.
  }
}

/** The scripts by which the machines' agents start `murmur`. */
async function programsOf(machines: string): Promise<readonly string[]> {
  const names = await readdir(machines).catch(() => []);
  return await Promise.all(names.map((name) => textOf(join(machines, name, 'bin', 'murmur'))));
}

async function textOf(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch(() => '');
}
