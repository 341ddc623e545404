// Files that the isolation lays over the host's: the machine's own /tmp, and a user database that knows its user.
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IsolationSpec } from './isolation.ts';
import { isBelow } from './mount-plan.ts';

export interface Bind {
  readonly source: string;
  readonly target: string;
}

/** Makes the files and says where they go. Idempotent. */
export function prepareNamespaceFiles(spec: IsolationSpec): readonly Bind[] {
  const { uid, paths } = spec;
  mkdirSync(paths.isolation, { recursive: true, mode: 0o700 });
  const binds = uid === undefined ? [] : userDatabase(spec, uid);
  return coveredTmp(spec) === undefined
    ? [...binds, { source: temporaryFolder(paths.isolation, uid), target: TMP }]
    : binds;
}

const TMP = '/tmp';

/**
 * /tmp when it is to be covered by an empty folder, since machines lie in it: in a folder on disk, the agent could put a
 * link in the way of what is shown there.
 */
export function coveredTmp({ hide, keep, paths }: IsolationSpec): string | undefined {
  return [...hide, ...keep, ...Object.values(paths)].some((path) => isBelow(path, TMP)) ? TMP : undefined;
}

/** On disk, not in memory: builds write gigabytes into /tmp. */
function temporaryFolder(parent: string, uid: number | undefined): string {
  const folder = join(parent, 'tmp');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o1777);
  if (uid !== undefined) chownSync(folder, uid, uid);
  return folder;
}

/** git, ssh and others refuse to work for a user that the database does not know. */
function userDatabase({ paths, machine }: IsolationSpec, uid: number): readonly Bind[] {
  const entries = [
    { file: 'passwd', line: `murmur:x:${uid}:${uid}:${machine}:${paths.home}:/bin/sh` },
    { file: 'group', line: `murmur:x:${uid}:` },
  ];
  return entries
    .filter(({ file }) => existsSync(`/etc/${file}`))
    .map(({ file, line }) => {
      const source = join(paths.isolation, file);
      // First, since a lookup by name takes the first that fits.
      writeFileSync(source, `${line}\n${readFileSync(`/etc/${file}`, 'utf8')}`, { mode: 0o644 });
      return { source, target: `/etc/${file}` };
    });
}
