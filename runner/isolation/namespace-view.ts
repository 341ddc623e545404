// What a program in a namespace sees of the host: the mounts and their order. Decides and prepares the files;
// mount-script.ts has the script.
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
  /** Tables for mount, in order. Sources in the later ones are relative to `stage`. */
  readonly tables: { readonly host: string; readonly covers: string; readonly last?: string };
  /** Folder at which the first table mounts the host's whole tree. */
  readonly stage: string;
  /** Empty files and links to create before the last table is mounted. */
  readonly places: readonly string[];
  readonly links: readonly string[];
}

/** The folders of a cover need a few pages. The limit prevents the agent from filling the host's memory with them. */
const COVER_OPTIONS = 'nosuid,nodev,mode=0755,size=1m,nr_inodes=1024';
const COVER_FLAGS = ['nosuid', 'nodev'];
/** Share of the memory limit for a /tmp in memory: the programs that write there need memory too. */
const TMP_SHARE = 1 / 4;
const NO_PATHS = { hide: [], show: [], links: [] };

/**
 * An agent sees the host's tree read-only, except for its own folders. Some folders of the host are writable for every
 * user (/run/lock, /var/crash). Files there would count in no limit, outlive the agent and be readable for other
 * agents. `run` is read-only too; connecting to its sockets still works. For an agent with the owner's user id, the
 * covers are read-only too.
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
    // Separate mounts, so that they stay writable.
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

/** Options of the mount that contains a path. A bind mount of the path has the same ones. */
function optionsAt(path: string): readonly string[] {
  const around = readMounts().filter(({ target }) => target === path || isBelow(path, target));
  // Of several mounts at one place, the last one is visible.
  return around.toSorted((a, b) => a.target.length - b.target.length).at(-1)?.options ?? [];
}

/** File systems of the kernel in which only root can create files. */
const WITHOUT_FILES = ['cgroup', 'cgroup2', 'debugfs', 'devpts', 'nsfs', 'proc', 'securityfs', 'sysfs', 'tracefs'];

/**
 * Mounts to which the agent's user could write, except Murmur's own, those at and below `except`, and /proc. Omits
 * mounts that only root can reach: there may be hundreds, of containers, and they may be gone before the table is
 * mounted.
 */
function writableMounts(except: readonly string[], uid: number | undefined): readonly Mount[] {
  const isPassable = uid === undefined ? () => true : passableFor(uid);
  const mounts = readMounts().filter(
    ({ target, options, type }) =>
      !options.includes('ro') &&
      // Accessing an autofs mount would trigger it.
      type !== 'autofs' &&
      !(uid !== undefined && WITHOUT_FILES.includes(type)) &&
      ![...except, '/proc'].some((path) => target === path || isBelow(target, path)) &&
      isReachable(target) &&
      isPassable(target),
  );
  // Of several mounts at one place, the last one is visible.
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
 * Mounts the whole view again over the root. Running programs and their children keep the root below, so the kernel
 * treats them as in a chroot. There, no user namespaces can be created: with one, an agent would get rights over its
 * own namespaces and reach kernel code that is meant for root. `/etc/..` leads into the upper root, so it must have the
 * same content; otherwise links such as /etc/os-release would break.
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

/** Whether the user may traverse a folder and all its parents. */
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
