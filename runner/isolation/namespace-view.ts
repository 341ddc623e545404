// What a program in a namespace sees of the host: which mounts are laid, in which order. Decides and prepares the files;
// see mount-script.ts for what is run.
import { accessSync, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { MachineLimits } from '../../contract/wire/machine-limits.ts';
import type { IsolationSpec } from '../../contract/wire/isolation.ts';
import { tmpfsSize } from './limits.ts';
import type { Cover } from './mount-plan.ts';
import { isBelow, planCovers } from './mount-plan.ts';
import type { Mount, TableEntry } from './mount-table.ts';
import { bindEntry, fileSystemEntry, readMounts, readOnlyEntry, tableText } from './mount-table.ts';
import type { Bind } from './namespace-files.ts';
import { coveredTmp, isFolder, namedPaths, saveTable, stageOf } from './namespace-files.ts';
import { ownerOnlyPaths } from './owner-only-paths.ts';
import type { OwnerOnlyPaths } from './owner-only-paths.ts';

export interface NamespaceView {
  /** Files that mount reads, one after the other. Sources in the later ones are relative to `stage`. */
  readonly tables: { readonly host: string; readonly covers: string; readonly last?: string };
  /** Folder in which the host's whole tree is mounted by the first table. */
  readonly stage: string;
  /** Empty files and links, to be made before the last table is laid. */
  readonly places: readonly string[];
  readonly links: readonly string[];
}

/** Folders of a cover need a few pages; the agent must not fill the host's memory through them. */
const COVER_OPTIONS = 'nosuid,nodev,mode=0755,size=1m,nr_inodes=1024';
const COVER_FLAGS = ['nosuid', 'nodev'];
/** Of the memory, what a /tmp in memory may take: the programs that write there need some as well. */
const TMP_SHARE = 1 / 4;
const NO_PATHS = { hide: [], show: [], links: [] };

/**
 * An agent sees the host's tree read-only but for its own folders: some folders there are open to every user (/run/lock,
 * /var/crash), and what it left in them would be in no limit, outlive it and be read by other agents. `run` is read-only as
 * well; its sockets can be connected to all the same. For an agent with the owner's own user id so are the covers.
 */
export function namespaceView(spec: IsolationSpec, binds: readonly Bind[], limits: MachineLimits): NamespaceView {
  const { paths, uid } = spec;
  const isOwner = uid === undefined;
  const stage = stageOf(spec);
  const ownerOnly = isOwner ? ownerOnlyPaths() : NO_PATHS;
  const covers = coversOf(spec, ownerOnly);
  const own = [paths.home, paths.work, paths.run];
  const writable = [...own, ...binds.map(({ target }) => target)];
  const files = covers.flatMap(({ shows }) => shows.filter(isFile));
  const host = [
    fileSystemEntry('proc', '/proc', 'nosuid,nodev,noexec'),
    ...binds.map(({ source, target }) => bindEntry(source, target)),
    // Mounts of their own, so that they stay writable.
    ...own.map((path) => bindEntry(path, path)),
    ...[{ target: paths.run, options: optionsAt(paths.run) }, ...writableMounts(writable, uid)].map(readOnlyEntry),
    bindEntry('/', stage),
  ];
  const layers = covers.flatMap((cover) => [
    coverEntry(cover, limits),
    ...cover.shows.filter((path) => !isFile(path)).map(showEntry),
  ]);
  const last = [
    ...files.map(showEntry),
    ...(isOwner ? terminals() : []),
    ...(isFolder('/dev/shm') ? [sharedMemory(limits)] : []),
    ...(isOwner
      ? covers.filter(({ isOpen }) => !isOpen).map(({ path }) => readOnlyEntry({ target: path, options: COVER_FLAGS }))
      : []),
    rootOverRoot(),
  ];
  const places = [...files, ...(isOwner ? ['/dev/ptmx'] : [])];
  const save = (entries: readonly TableEntry[]): string => saveTable(spec, tableText(entries));
  const tables =
    places.length > 0 ? { covers: save(layers), last: save(last) } : { covers: save([...layers, ...last]) };
  return { tables: { host: save(host), ...tables }, stage, places, links: ownerOnly.links };
}

function showEntry(path: string): TableEntry {
  return bindEntry(`.${path}`, path);
}

function coversOf(spec: IsolationSpec, ownerOnly: Pick<OwnerOnlyPaths, 'hide' | 'show'>): readonly Cover[] {
  const { hide, keep, paths, uid } = spec;
  const tmp = coveredTmp(spec);
  const needed = [paths.home, paths.work, paths.run, ...keep, ...namedPaths(spec), ...ownerOnly.show];
  return planCovers({
    hide: [...hide, paths.isolation, ...ownerOnly.hide].filter((path) => existsSync(path)),
    open: tmp === undefined ? [] : [tmp],
    needed: needed.filter((path) => existsSync(path)),
    isPassable: (folder) => uid === undefined || isPassableFor(folder, uid),
  });
}

/** Of the mount that a path lies on: a bind of it has them as well. */
function optionsAt(path: string): readonly string[] {
  const around = readMounts().filter(({ target }) => target === path || isBelow(path, target));
  // Of those at one place, the last is seen.
  return around.toSorted((a, b) => a.target.length - b.target.length).at(-1)?.options ?? [];
}

/** File systems of the kernel in which no user but root can make a file. */
const WITHOUT_FILES = ['cgroup', 'cgroup2', 'debugfs', 'devpts', 'nsfs', 'proc', 'securityfs', 'sysfs', 'tracefs'];

/**
 * Mounts to which the agent's user could write, except our own, those at and below `except`, and /proc. Those that only
 * root reaches are left as they are: they may be hundreds, of containers, and gone before the table is laid.
 */
function writableMounts(except: readonly string[], uid: number | undefined): readonly Mount[] {
  const isPassable = uid === undefined ? () => true : passableFor(uid);
  const mounts = readMounts().filter(
    ({ target, options, type }) =>
      !options.includes('ro') &&
      // Looking at it would mount what is behind it.
      type !== 'autofs' &&
      !(uid !== undefined && WITHOUT_FILES.includes(type)) &&
      ![...except, '/proc'].some((path) => target === path || isBelow(target, path)) &&
      isReachable(target) &&
      isPassable(target),
  );
  // Of those at one place, the last is seen.
  return [...new Map(mounts.map((mount) => [mount.target, mount])).values()];
}

function coverEntry({ path, isOpen }: Cover, { memory_mb }: MachineLimits): TableEntry {
  const open = `nosuid,nodev,mode=1777,${tmpfsSize(Math.ceil(memory_mb * TMP_SHARE))}`;
  return fileSystemEntry('tmpfs', path, isOpen ? open : COVER_OPTIONS);
}

function terminals(): readonly TableEntry[] {
  return [
    fileSystemEntry('devpts', '/dev/pts', 'nosuid,noexec,newinstance,ptmxmode=0666,mode=620'),
    bindEntry('/dev/pts/ptmx', '/dev/ptmx'),
  ];
}

function sharedMemory({ shm_mb }: MachineLimits): TableEntry {
  return fileSystemEntry('tmpfs', '/dev/shm', `nosuid,nodev,mode=1777,${tmpfsSize(shm_mb)}`);
}

/**
 * Mounts the whole view over the root once more. Running programs and their children keep the root below it. The kernel
 * treats them as in a chroot, where creating user namespaces is forbidden. With a user namespace an agent would get
 * capabilities in its own namespaces and reach parts of the kernel that are meant for root. `/etc/..` leads into the upper
 * mount, so it has to have the same contents: otherwise links such as /etc/os-release would break.
 */
function rootOverRoot(): TableEntry {
  return bindEntry('/', '/');
}

function isFile(path: string): boolean {
  return !statSync(path).isDirectory();
}

function isReachable(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Whether the user may pass through everything on the way to a folder and the folder itself. */
function passableFor(uid: number): (path: string) => boolean {
  const known = new Map<string, boolean>([['/', true]]);
  const isPassable = (path: string): boolean => {
    const isSo = known.get(path) ?? (isPassable(dirname(path)) && (isFile(path) || isPassableFor(path, uid)));
    known.set(path, isSo);
    return isSo;
  };
  return isPassable;
}

function isPassableFor(folder: string, uid: number): boolean {
  const { mode, uid: owner, gid: group } = statSync(folder);
  if (owner === uid) return (mode & 0o100) !== 0;
  return (mode & (group === uid ? 0o010 : 0o001)) !== 0;
}
