// A cgroup for each machine, which bounds all its processes together. Linux has them in two versions: the first with a
// tree for each controller, the second with one tree. Built-ins only.
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { MachineLimits } from '../../contract/wire/machine-limits.ts';
import { shellQuoted } from './program-script.ts';

const CONTROLLERS = ['memory', 'pids'] as const;
type Controller = (typeof CONTROLLERS)[number];

/** A folder in which cgroups of machines can be made, and what they bound there. */
export interface CgroupParent {
  readonly folder: string;
  readonly version: 1 | 2;
  readonly controllers: readonly Controller[];
}

/** Where the cgroup trees are, and to which cgroups this process belongs. */
export interface CgroupView {
  readonly root: string;
  /** The text of /proc/self/cgroup. */
  readonly own: string;
}

const FOLDER = 'murmur';
const FILE = 'cgroups';
/** The system needs a moment after the end of the last process before it lets a cgroup go. */
const REMOVE_LIMIT_MS = 1_000;
const REMOVE_AGAIN_MS = 5;

/** As seen by this process; undefined where the system tells of none. */
function viewOfThisProcess(): CgroupView | undefined {
  try {
    return { root: '/sys/fs/cgroup', own: readFileSync('/proc/self/cgroup', 'utf8') };
  } catch {
    return undefined;
  }
}

/**
 * Where this process may make cgroups, beneath the limits that hold for itself. In the first version below its own; in the
 * second beside its own or further up, since there only a cgroup without processes may have others below it.
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

/** What the cgroups of a machine bound for a process in it, by the text of that process's /proc/self/cgroup. */
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

/** Lines of a /proc/self/cgroup. The second version's tree has no controllers of its own in it. */
function linesOf(text: string): readonly { readonly controllers: readonly string[]; readonly path: string }[] {
  return [...text.matchAll(/^\d+:([^:\n]*):(\/.*)$/gm)].map(([, controllers = '', path = '/']) => ({
    controllers: controllers === '' ? [] : controllers.split(','),
    path,
  }));
}

function sharedParent(root: string, own: string, wanted: readonly Controller[]): CgroupParent | undefined {
  // The root of all may have both processes and cgroups below it.
  for (let path = dirname(own); ; path = dirname(path)) {
    const folder = join(root, path);
    const enabled = readWords(join(folder, 'cgroup.subtree_control'));
    const controllers = wanted.filter((controller) => enabled.includes(controller));
    if (controllers.length > 0 && mayMakeIn(folder)) return { folder, version: 2, controllers };
    if (path === '/') return undefined;
  }
}

/** Whoever moves a process needs this right at the place that is above both its old and its new cgroup. */
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
  /** What they bound. */
  readonly controllers: readonly Controller[];
}

/**
 * Makes the cgroups of a machine, gives them its limits, and notes in the folder `notes` where they are, for a later
 * caller that removes them. Idempotent. What the system refuses is left out.
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
    // In use, it holds the limits that it was given before.
    return !removeOne(folder);
  }
}

/** What goes beyond the memory must not fill the host's swap instead. A system that does not count it lacks the file. */
function boundSwap(folder: string, version: 1 | 2, bytes: string): void {
  const [file, value] = version === 2 ? ['memory.swap.max', '0'] : ['memory.memsw.limit_in_bytes', bytes];
  try {
    writeFileSync(join(folder, file), value, { flag: 'r+' });
  } catch {
    // Not counted.
  }
}

/** As `makeCgroups`, the first time and whenever one is missing. Most calls cost a look at two folders. */
export function cgroupsOnDemand(machine: string, limits: MachineLimits, notes: string): () => MachineCgroups {
  let made: MachineCgroups | undefined;
  return () => {
    if (made?.folders.every((folder) => existsSync(folder)) !== true) {
      made = makeCgroups(machine, limits, notes, cgroupParents());
    }
    return made;
  };
}

/** A shell line with which a process enters the cgroups, with all that it starts later. */
export function enterLines({ folders }: MachineCgroups): readonly string[] {
  return folders.map((folder) => `{ echo 0 >${shellQuoted(join(folder, 'cgroup.procs'))}; } 2>/dev/null || :`);
}

/** Removes the cgroups of a machine, which must have no processes. What is still in use after 1 s stays. */
export async function removeCgroups(notes: string): Promise<void> {
  const folders = readNotes(notes);
  for (const end = Date.now() + REMOVE_LIMIT_MS; ;) {
    if (folders.map(removeOne).every(Boolean) || Date.now() > end) return;
    await delay(REMOVE_AGAIN_MS);
  }
}

/** False when it is in use. */
function removeOne(folder: string): boolean {
  try {
    rmdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return false;
  }
  try {
    rmdirSync(dirname(folder));
  } catch {
    // Other machines are in it.
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
