// Files that the isolation mounts over the host's: the machine's own /tmp, and a user database with its user.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { IsolationSpec } from '../../contract/wire/isolation.ts';
import { isBelow } from './mount-plan.ts';

export interface Bind {
  readonly source: string;
  readonly target: string;
}

/** Creates the files and returns where to mount them. Idempotent. */
export function prepareNamespaceFiles(spec: IsolationSpec): readonly Bind[] {
  const { uid, paths } = spec;
  mkdirSync(paths.isolation, { recursive: true, mode: 0o700 });
  mkdirSync(stageOf(spec), { recursive: true });
  const temporary = TEMPORARY.filter((path) => isFolder(path) && !holdsPaths(spec, path));
  const source = temporary.length === 0 ? '' : temporaryFolder(paths.isolation, uid);
  return [...(uid === undefined ? [] : userDatabase(spec, uid)), ...temporary.map((target) => ({ source, target }))];
}

const TMP = '/tmp';
/** Folders of the host to which every user may write. */
const TEMPORARY = [TMP, '/var/tmp'];

/**
 * /tmp if an empty folder in memory has to cover it, because machines are in /tmp. In a folder on disk, the agent could
 * place links at the paths that are shown.
 */
export function coveredTmp(spec: IsolationSpec): string | undefined {
  return holdsPaths(spec, TMP) ? TMP : undefined;
}

/** The folder that shows the host's whole tree while covers are mounted. It is itself covered at the end. */
export function stageOf({ paths }: IsolationSpec): string {
  return join(paths.isolation, 'host');
}

/** Writes a table of mounts unless it exists. Returns its path. */
export function saveTable({ paths }: IsolationSpec, text: string): string {
  const file = join(paths.isolation, `mounts-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`);
  if (existsSync(file)) return file;
  const part = `${file}.${process.pid}`;
  writeFileSync(part, text, { mode: 0o600 });
  renameSync(part, file);
  return file;
}

export function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The paths of `show`, absolute, with the real path of their folder, as covers use real paths. */
export function namedPaths({ show = [] }: IsolationSpec): readonly string[] {
  return show.flatMap((path) => {
    try {
      return join(realpathSync(dirname(path)), basename(path));
    } catch {
      return [];
    }
  });
}

function holdsPaths(spec: IsolationSpec, folder: string): boolean {
  const { hide, keep, paths } = spec;
  return [...hide, ...keep, ...namedPaths(spec), ...Object.values(paths)].some((path) => isBelow(path, folder));
}

/** On disk, not in memory: builds write gigabytes to /tmp. */
function temporaryFolder(parent: string, uid: number | undefined): string {
  const folder = join(parent, 'tmp');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o1777);
  if (uid !== undefined) chownSync(folder, uid, uid);
  return folder;
}

/** Programs such as git and ssh refuse to run for a user that is not in the database. */
function userDatabase({ paths, machine }: IsolationSpec, uid: number): readonly Bind[] {
  const entries = [
    { file: 'passwd', line: `murmur:x:${uid}:${uid}:${machine}:${paths.home}:/bin/sh` },
    { file: 'group', line: `murmur:x:${uid}:` },
  ];
  return entries
    .filter(({ file }) => existsSync(`/etc/${file}`))
    .map(({ file, line }) => {
      const source = join(paths.isolation, file);
      // At the top, because a lookup by name takes the first match.
      writeFileSync(source, `${line}\n${readFileSync(`/etc/${file}`, 'utf8')}`, { mode: 0o644 });
      return { source, target: `/etc/${file}` };
    });
}
