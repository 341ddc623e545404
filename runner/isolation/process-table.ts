// The processes of this host: from /proc where there is one, else from `ps`. Built-ins only.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** Milliseconds since the epoch, to `START_PRECISION_MS`. */
  readonly started: number;
  /** Ended, but not yet taken note of by its parent: nothing runs. */
  readonly isZombie: boolean;
}

/** How much earlier or later than told a process may have started: the system counts in ticks, `ps` in seconds. */
export const START_PRECISION_MS = process.platform === 'linux' ? 20 : 1_000;
/** Linux counts process times in hundredths of a second on every architecture that Node runs on. */
const MS_PER_TICK = 10;
/** `ps` takes milliseconds; a host where it hangs has other troubles. */
const PS_LIMIT_MS = 10_000;
/** A look takes 2 ms on a quiet host and 15 ms beside two hundred agents: who ends one of these hardly notices. */
const REST_PER_LOOK = 4;

/**
 * One look for all who ask before it begins: agents that end together would otherwise each read every process of the host,
 * which is the square of their number. After a look there is a rest of a few times as long as it took, in which those who
 * ask gather: looking takes a fifth of a core at most.
 */
function shared<Seen>(look: () => Seen | Promise<Seen>): () => Promise<Seen> {
  let next: Promise<Seen> | undefined;
  let restUntil = 0;
  return () =>
    (next ??= (async () => {
      await delay(Math.max(0, restUntil - performance.now()));
      next = undefined;
      const began = performance.now();
      try {
        return await look();
      } finally {
        const ended = performance.now();
        restUntil = ended + REST_PER_LOOK * (ended - began);
      }
    })());
}

/** All processes that can be seen, as of a moment after the call. */
export const listProcesses: () => Promise<readonly ProcessEntry[]> = shared(
  process.platform === 'linux' ? listFromProc : listFromPs,
);

/** Command lines by process id, as words. Zombies have none. Linux only; elsewhere none. */
export const commandLines = shared(() => readOfEach((pid) => commandLineOf(Number(pid)) ?? []));

/** Command line of one process, as words; undefined when there is none. Linux only. */
export function commandLineOf(pid: number): readonly string[] | undefined {
  try {
    return readFileSync(`/proc/${pid.toString()}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return undefined;
  }
}

const environments = shared(() => readOfEach((pid) => `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`));

// Not the owner of /proc/<pid>: a process can give that to root. Real, effective, saved or file system id.
const users = shared(() =>
  readOfEach((pid) => (/^Uid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '').split(/\s+/)),
);

/** Whether a process was, or may have been, started at or after a time. */
export function isStartedSince({ started }: ProcessEntry, since: Date): boolean {
  return started >= since.getTime() - START_PRECISION_MS;
}

/** The processes below the roots, without the roots. */
export function descendantsOf(roots: readonly number[], table: readonly ProcessEntry[]): readonly ProcessEntry[] {
  const children = Map.groupBy(table, (entry) => entry.parent);
  const found: ProcessEntry[] = [];
  for (const queue = [...roots]; queue.length > 0;) {
    const below = children.get(queue.pop() ?? 0) ?? [];
    found.push(...below);
    queue.push(...below.map((entry) => entry.pid));
  }
  return found;
}

/** Ids of the processes that were started with `NAME=value`, as far as this user may look. */
export async function pidsWithVariable(variable: string): Promise<ReadonlySet<number>> {
  if (process.platform === 'linux') {
    return keysWhere(await environments(), (environment) => environment.includes(`\0${variable}\0`));
  }
  const lines = await ps(['-A', '-E', '-ww', '-o', 'pid=,command=']);
  return new Set(
    lines.filter((line) => ` ${line} `.includes(` ${variable} `)).map((line) => Number.parseInt(line, 10)),
  );
}

/** Ids of the processes whose working directory is one of the folders or below. Linux only; elsewhere none. */
export function pidsWithin(folders: readonly string[]): ReadonlySet<number> {
  const folderOf = readOfEach((pid) => readlinkSync(`/proc/${pid}/cwd`));
  return keysWhere(folderOf, (cwd) => folders.some((folder) => cwd === folder || cwd.startsWith(`${folder}/`)));
}

/** Ids of the processes that run as the user. Linux only; elsewhere none. */
export async function pidsOfUser(uid: number): Promise<ReadonlySet<number>> {
  return keysWhere(await users(), (ids) => ids.includes(String(uid)));
}

function keysWhere<Fact>(facts: ReadonlyMap<number, Fact>, holds: (fact: Fact) => boolean): ReadonlySet<number> {
  return new Set([...facts].filter(([, fact]) => holds(fact)).map(([pid]) => pid));
}

function readOfEach<Fact>(read: (pid: string) => Fact): ReadonlyMap<number, Fact> {
  const found = new Map<number, Fact>();
  for (const pid of procFolders()) {
    try {
      found.set(Number(pid), read(pid));
    } catch {
      // It has ended, or it is another user's.
    }
  }
  return found;
}

function procFolders(): readonly string[] {
  return process.platform === 'linux' ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
}

/** Ids of the direct children of a process, at once and without looking at any other. Linux only; elsewhere none. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const tasks = `/proc/${pid.toString()}/task`;
    return readdirSync(tasks).flatMap((task) =>
      [...readFileSync(`${tasks}/${task}/children`, 'latin1').matchAll(/\d+/g)].map(([child]) => Number(child)),
    );
  } catch {
    return [];
  }
}

/** As `listProcesses`, at once. Linux only. */
export function listFromProc(): readonly ProcessEntry[] {
  const uptime = Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1_000;
  const booted = Date.now() - uptime;
  return procFolders().flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // The second field is the program's name in brackets and may hold anything, brackets too.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return {
        pid: Number(pid),
        parent: Number(fields[1]),
        started: booted + Number(fields[19]) * MS_PER_TICK,
        isZombie: fields[0] === 'Z' || fields[0] === 'X',
      };
    } catch {
      // It has ended since the folder was read.
      return [];
    }
  });
}

async function listFromPs(): Promise<readonly ProcessEntry[]> {
  const lines = await ps(['-A', '-ww', '-o', 'pid=,ppid=,stat=,lstart=']);
  return lines.map((line) => {
    const [pid, parent, state = '', ...started] = line.split(/\s+/);
    return {
      pid: Number(pid),
      parent: Number(parent),
      started: Date.parse(started.join(' ')),
      isZombie: state.startsWith('Z'),
    };
  });
}

async function ps(args: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('ps', [...args], {
    timeout: PS_LIMIT_MS,
    maxBuffer: 64 * 1024 * 1024,
    // Month names and the order of a date depend on the language.
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
  });
  return stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
