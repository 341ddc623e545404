// Lists the processes of this host, from /proc or else from `ps`. Built-ins only.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** Milliseconds since the epoch, to `START_PRECISION_MS`. */
  readonly started: number;
  /** Ended but not yet reaped by its parent. */
  readonly isZombie: boolean;
}

/** Precision of `started`: the system counts in ticks, `ps` in seconds. */
export const START_PRECISION_MS = process.platform === 'linux' ? 20 : 1_000;
/** Linux counts process times in hundredths of a second on every architecture that Node runs on. */
const MS_PER_TICK = 10;
/** `ps` takes milliseconds; this limit ends a hanging one. */
const PS_LIMIT_MS = 10_000;
/**
 * A listing takes 2 ms on a quiet host and 15 ms with two hundred agents, so this rest hardly delays the end of an
 * agent.
 */
const REST_PER_LOOK = 4;

/**
 * Callers that wait for a listing share it. Otherwise, agents that end together would each list all processes:
 * quadratic in their number. After a listing, the next one waits `REST_PER_LOOK` times its duration, while callers
 * collect. So listing takes at most a fifth of a core.
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

/** All visible processes, listed after the call. */
export const listProcesses: () => Promise<readonly ProcessEntry[]> = shared(
  process.platform === 'linux' ? listFromProc : listFromPs,
);

/** Command lines by process id, as words. Zombies have none. Empty on systems other than Linux. */
export const commandLines = shared(() => readOfEach((pid) => commandLineOf(Number(pid)) ?? []));

/** Command line of a process, as words; undefined when it has none. Linux only. */
export function commandLineOf(pid: number): readonly string[] | undefined {
  try {
    return readFileSync(`/proc/${pid.toString()}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return undefined;
  }
}

const environments = shared(() => readOfEach((pid) => `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`));

// Real, effective, saved and file system id. Not the owner of /proc/<pid>: a process can make that root.
const users = shared(() =>
  readOfEach((pid) => (/^Uid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '').split(/\s+/)),
);

/**
 * Whether an agent can have given a process of this host its environment and command line: agents' processes are in a
 * process namespace of their own, in which the first process is the runner's. False for a process that has ended, and on
 * systems other than Linux.
 */
export function isInsideNamespace(pid: number): boolean {
  try {
    // Its ids from the namespace of /proc to its own one. Linux before 4.1 does not tell them.
    const line = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid.toString()}/status`, 'utf8'))?.[1] ?? '';
    const ids = line.trim().split(/\s+/);
    return ids.length > 1 && ids.at(-1) !== '1';
  } catch {
    return false;
  }
}

/** Whether a process was or may have been started at or after a time. */
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

/** Ids of processes whose initial environment has `NAME=value`. Sees only processes that this user may inspect. */
export async function pidsWithVariable(variable: string): Promise<ReadonlySet<number>> {
  if (process.platform === 'linux') {
    return keysWhere(await environments(), (environment) => environment.includes(`\0${variable}\0`));
  }
  const lines = await ps(['-A', '-E', '-ww', '-o', 'pid=,command=']);
  return new Set(
    lines.filter((line) => ` ${line} `.includes(` ${variable} `)).map((line) => Number.parseInt(line, 10)),
  );
}

/** Ids of processes whose working directory is one of the folders or below. Empty on systems other than Linux. */
export function pidsWithin(folders: readonly string[]): ReadonlySet<number> {
  const folderOf = readOfEach((pid) => readlinkSync(`/proc/${pid}/cwd`));
  return keysWhere(folderOf, (cwd) => folders.some((folder) => cwd === folder || cwd.startsWith(`${folder}/`)));
}

/** Ids of processes that run as the user. Empty on systems other than Linux. */
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
      // The process has ended or belongs to another user.
    }
  }
  return found;
}

function procFolders(): readonly string[] {
  return process.platform === 'linux' ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
}

/** Ids of a process's direct children. Synchronous, reads no other process. Empty on systems other than Linux. */
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

/** Synchronous `listProcesses`. Linux only. */
export function listFromProc(): readonly ProcessEntry[] {
  const uptime = Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1_000;
  const booted = Date.now() - uptime;
  return procFolders().flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // The second field is the program's name in brackets. It may contain any character, also brackets.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return {
        pid: Number(pid),
        parent: Number(fields[1]),
        started: booted + Number(fields[19]) * MS_PER_TICK,
        isZombie: fields[0] === 'Z' || fields[0] === 'X',
      };
    } catch {
      // The process has ended since the folder was read.
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
    // The format of dates depends on the locale.
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
  });
  return stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
