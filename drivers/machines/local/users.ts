// One user id per machine, when Murmur runs as root: agents can neither read nor signal each other or the caller.
import { randomInt } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Above the ids that distributions give to people, services and containers (systemd's end at 1,879,048,191), and below
 * the end of a signed 32-bit number. Ids are random in so large a range that two MURMUR_HOMEs of one host do not
 * collide.
 */
const FIRST_UID = 1_910_000_000;
const COUNT = 100_000_000;

/** The machine's user id, chosen at random if it has none. Idempotent by name, also after an interrupted creation. */
export async function takeUser(machines: string, name: string): Promise<number> {
  const folder = join(machines, '.users');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const taken = await takenUsers(folder);
  const known = taken.find((each) => each.name === name);
  if (known !== undefined) return known.uid;
  for (;;) {
    const uid = FIRST_UID + randomInt(COUNT);
    if (taken.some((each) => each.uid === uid)) continue;
    await writeFile(join(folder, `${String(uid)}.${name}`), '', { mode: 0o600 });
    return uid;
  }
}

/** Returns the machine's user id. Its processes and files must be gone. No-op when it has none. */
export async function returnUser(machines: string, name: string): Promise<void> {
  const folder = join(machines, '.users');
  for (const each of await takenUsers(folder)) {
    if (each.name === name) await rm(join(folder, `${String(each.uid)}.${name}`), { force: true });
  }
}

async function takenUsers(folder: string): Promise<readonly { readonly uid: number; readonly name: string }[]> {
  const files = await readdir(folder).catch(() => []);
  return files.map((file) => {
    const dot = file.indexOf('.');
    return { uid: Number(file.slice(0, dot)), name: file.slice(dot + 1) };
  });
}
