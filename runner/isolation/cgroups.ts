// A cgroup per machine, which limits all its processes together. Linux has two versions: version 1 has a tree per
// controller, version 2 has one tree. Built-ins only.
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { MachineLimits } from '../../contract/wire/machine-limits.ts';
import { shellQuoted } from './program-script.ts';

const CONTROLLERS = ['memory', 'pids'] as const;
type Controller = (typeof CONTROLLERS)[number];

/** A folder in which cgroups of machines can be created, and the controllers that work there. */
export interface CgroupParent {
  readonly folder: string;
  readonly version: 1 | 2;
  readonly controllers: readonly Controller[];
}

/** The root of the cgroup trees, and the cgroups of this process. */
export interface CgroupView {
  readonly root: string;
  /** The text of /proc/self/cgroup. */
  readonly own: string;
}

const FOLDER = 'murmur';
const FILE = 'cgroups';
/** After the last process has ended, it takes a moment until the system lets a cgroup be removed. */
const REMOVE_LIMIT_MS = 1_000;
const REMOVE_AGAIN_MS = 5;

/** The view of this process; undefined on a system without cgroups. */
function viewOfThisProcess(): CgroupView | undefined {
  try {
    return { root: '/sys/fs/cgroup', own: readFileSync('/proc/self/cgroup', 'utf8') };
  } catch {
    return undefined;
  }
}

/**
 * Where this process may create cgroups within its own limits. In version 1, below its own cgroup. In version 2, beside
 * its own or further up, because only a cgroup without processes may have children.
 */
export function cgroupParents(view = viewOfThisProcess()): readonly CgroupParent[] {
  if (view === undefined) return [];
  const lines = linesOf(view.own);
  const found: CgroupParent[] = [];
  for (const controller of CONTROLLERS) {
    const own = lines.find(({ controllers }) => controllers.includes(controller));
    if (own === undefined) continue;
    const folder = resolve(view.root, controller, `.${own.path}`);
    if (mayMakeIn(folder)) found.push({ folder, version: 1, controllers: [controller] });
  }
  const own = lines.find(({ controllers }) => controllers.length === 0)?.path;
  const missing = CONTROLLERS.filter(
    (controller) => !found.some(({ controllers }) => controllers.includes(controller)),
  );
  const parent = own === undefined ? undefined : sharedParent(view.root, own, missing);
  return parent === undefined ? found : [...found, parent];
}

/** The controllers of the machine's cgroups that apply to a process with this /proc/self/cgroup. */
export function boundControllers(machine: string, own: string): readonly Controller[] {
  const entered = linesOf(own).filter(({ path }) => path.endsWith(`/${FOLDER}/${machine}`));
  const parents = cgroupParents();
  return CONTROLLERS.filter((controller) =>
    entered.some(({ controllers }) =>
      controllers.length > 0
        ? controllers.includes(controller)
        : parents.some((parent) => parent.version === 2 && parent.controllers.includes(controller)),
    ),
  );
}

/** Parses /proc/self/cgroup. The line of version 2 lists no controllers. */
function linesOf(text: string): readonly { readonly controllers: readonly string[]; readonly path: string }[] {
  return [...text.matchAll(/^\d+:([^:\n]*):(\/.*)$/gm)].map(([, controllers = '', path = '/']) => ({
    controllers: controllers === '' ? [] : controllers.split(','),
    path,
  }));
}

function sharedParent(root: string, own: string, wanted: readonly Controller[]): CgroupParent | undefined {
  // The root cgroup may have both processes and children.
  for (let path = dirname(own); ; path = dirname(path)) {
    const folder = join(root, path);
    const enabled = readWords(join(folder, 'cgroup.subtree_control'));
    const controllers = wanted.filter((controller) => enabled.includes(controller));
    if (controllers.length > 0 && mayMakeIn(folder)) return { folder, version: 2, controllers };
    if (path === '/') return undefined;
  }
}

/** Moving a process needs write access to the common parent of its old and new cgroup. */
function mayMakeIn(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    accessSync(join(folder, 'cgroup.procs'), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function readWords(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').trim().split(/\s+/);
  } catch {
    return [];
  }
}

export interface MachineCgroups {
  readonly folders: readonly string[];
  /** The controllers that are in force. */
  readonly controllers: readonly Controller[];
}

/**
 * Creates the cgroups of a machine with its limits. Stores their paths in the folder `notes`, for `removeCgroups`.
 * Idempotent. Omits controllers that the system refuses.
 */
export function makeCgroups(
  machine: string,
  limits: MachineLimits,
  notes: string,
  parents: readonly CgroupParent[],
): MachineCgroups {
  const made = parents.flatMap((parent) => {
    const folder = join(parent.folder, FOLDER, machine);
    return makeOne(folder, parent, limits) ? { folder, controllers: parent.controllers } : [];
  });
  const folders = made.map(({ folder }) => folder);
  const known = readNotes(notes);
  if (folders.some((folder) => !known.includes(folder))) {
    writeFileSync(join(notes, FILE), JSON.stringify([...new Set([...known, ...folders])]), { mode: 0o600 });
  }
  return { folders, controllers: made.flatMap(({ controllers }) => controllers) };
}

function makeOne(folder: string, { version, controllers }: CgroupParent, limits: MachineLimits): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    if (version === 2) {
      const enabled = controllers.map((controller) => `+${controller}`).join(' ');
      writeFileSync(join(dirname(folder), 'cgroup.subtree_control'), enabled);
    }
    const bytes = String(limits.memory_mb * 1024 * 1024);
    if (controllers.includes('pids')) writeFileSync(join(folder, 'pids.max'), String(limits.processes));
    if (!controllers.includes('memory')) return true;
    writeFileSync(join(folder, version === 2 ? 'memory.max' : 'memory.limit_in_bytes'), bytes);
    boundSwap(folder, version, bytes);
    return true;
  } catch {
    // A cgroup that is in use has its limits from before.
    return !removeOne(folder);
  }
}

/** Prevents the use of swap beyond the memory limit. Systems without swap accounting lack the file. */
function boundSwap(folder: string, version: 1 | 2, bytes: string): void {
  const [file, value] = version === 2 ? ['memory.swap.max', '0'] : ['memory.memsw.limit_in_bytes', bytes];
  try {
    writeFileSync(join(folder, file), value, { flag: 'r+' });
  } catch {
    // The system has no swap accounting.
  }
}

/** `makeCgroups` at the first call and whenever a cgroup is missing. Most calls only check two folders. */
export function cgroupsOnDemand(machine: string, limits: MachineLimits, notes: string): () => MachineCgroups {
  let made: MachineCgroups | undefined;
  return () => {
    if (made?.folders.every((folder) => existsSync(folder)) !== true) {
      made = makeCgroups(machine, limits, notes, cgroupParents());
    }
    return made;
  };
}

/** Shell lines with which a process, and so its later children, enters the cgroups. */
export function enterLines({ folders }: MachineCgroups): readonly string[] {
  return folders.map((folder) => `{ echo 0 >${shellQuoted(join(folder, 'cgroup.procs'))}; } 2>/dev/null || :`);
}

/** Removes the cgroups of a machine, which must have no processes. Leaves cgroups that are still in use after 1 s. */
export async function removeCgroups(notes: string): Promise<void> {
  const folders = readNotes(notes);
  for (const end = Date.now() + REMOVE_LIMIT_MS; ;) {
    if (folders.map(removeOne).every(Boolean) || Date.now() > end) return;
    await delay(REMOVE_AGAIN_MS);
  }
}

/** Removes one cgroup; false when it is in use. */
function removeOne(folder: string): boolean {
  try {
    rmdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return false;
  }
  try {
    rmdirSync(dirname(folder));
  } catch {
    // The parent has cgroups of other machines.
  }
  return true;
}

function readNotes(notes: string): readonly string[] {
  try {
    return JSON.parse(readFileSync(join(notes, FILE), 'utf8')) as readonly string[];
  } catch {
    return [];
  }
}
