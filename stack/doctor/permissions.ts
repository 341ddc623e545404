// Who may read what lies in MURMUR_HOME.
import { stat } from 'node:fs/promises';
import type { HomePaths } from '../../config/home.ts';
import type { Check } from '../doctor.ts';

/** Group and others. */
const OPEN_TO_OTHERS = 0o077;

/** Tokens and secrets must be the owner's alone. What does not exist yet is fine. */
export async function permissionChecks(home: HomePaths): Promise<readonly Check[]> {
  const paths = [home.root, home.token, home.tokens, home.secrets, home.temporal.database];
  const found = await Promise.all(paths.map(openCheck));
  const open = found.filter((check) => check !== undefined);
  if (open.length > 0) return open;
  return [{ name: 'permissions', state: 'ok', message: `only its owner can read ${home.root}` }];
}

async function openCheck(path: string): Promise<Check | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || (found.mode & OPEN_TO_OTHERS) === 0) return undefined;
  const mode = (found.mode & 0o777).toString(8);
  return {
    name: 'permissions',
    state: 'problem',
    message: `${path} has mode ${mode}: other users of this machine can read it`,
    fix: `chmod go= ${path}`,
  };
}
