// Processes by identity: a process id alone may belong to another program after a crash or a reboot.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ProcessIdentity } from '../contract/stack.ts';

/** Interval of checks whether a process has ended. */
const POLL_MS = 25;

/** After SIGKILL, the kernel needs milliseconds. A process in uninterruptible I/O may take longer than this. */
const KILL_WAIT_MS = 5_000;

/** The identity of a running process; undefined when it does not exist or is a zombie. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const started = process.platform === 'linux' ? await startOnLinux(pid) : await startByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Whether the process with this identity is running. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await identityOf(identity.pid))?.started === identity.started;
}

/**
 * Sends SIGTERM and waits; kills the process after the grace period. Resolves with how it ended, or `absent` when it
 * was not running. Never ends another process that got its id.
 */
export async function endProcess(
  identity: ProcessIdentity,
  graceMs: number,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<'absent' | 'ended' | 'killed'> {
  if (!(await isRunning(identity))) return 'absent';
  send(identity.pid, signal);
  if (await hasEndedWithin(identity, graceMs)) return 'ended';
  send(identity.pid, 'SIGKILL');
  await hasEndedWithin(identity, KILL_WAIT_MS);
  return 'killed';
}

async function hasEndedWithin(identity: ProcessIdentity, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (await isRunning(identity)) {
    if (performance.now() >= deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has ended since the check.
  }
}

/** The start time in /proc/<pid>/stat (field 22) counts from boot, so the identity includes the boot id. */
async function startOnLinux(pid: number): Promise<string | undefined> {
  try {
    const [stat, boot] = await Promise.all([readFile(`/proc/${pid.toString()}/stat`, 'utf8'), bootId()]);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${boot}:${fields[19] ?? ''}`;
  } catch {
    return undefined;
  }
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).slice(0, 8);
}

async function startByPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'state=,lstart=', '-p', pid.toString()]);
    const [state = '', ...start] = stdout.trim().split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}
