// A user id of its own for each machine, as root: agents can neither read nor signal each other or the caller.
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MurmurError } from '../../../contract/wire/errors.ts';

/** Above what distributions give to people, services and containers' subordinate ids (524,288 + 65,536 each). */
const FIRST_UID = 1_900_000_000;
/** More machines than a host can carry. */
const COUNT = 10_000;

/** Takes a free id. Two processes never take the same one: the file that stands for it is made exclusively. */
export async function takeUser(machines: string, name: string): Promise<number> {
  const folder = join(machines, '.users');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (let uid = FIRST_UID; uid < FIRST_UID + COUNT; uid += 1) {
    try {
      const file = await open(join(folder, String(uid)), 'wx', 0o600);
      await file.writeFile(name);
      await file.close();
      return uid;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new MurmurError('RESOURCE_EXHAUSTED', `all ${String(COUNT)} user ids for machines of this host are taken`);
}

/** Gives the id back; its processes and files must be gone. */
export async function returnUser(machines: string, uid: number): Promise<void> {
  await rm(join(machines, '.users', String(uid)), { force: true });
}
