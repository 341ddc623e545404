// Processes by identity: a process number alone may belong to another program after a crash or a reboot.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ProcessIdentity } from '../contract/stack.ts';

/** How often a process that was asked to end is looked at. */
const POLL_MS = 25;

/** After SIGKILL the kernel needs moments; a process in uninterruptible I/O may need longer than anybody waits. */
const KILL_WAIT_MS = 5_000;

/** The identity of a running process; undefined when it is not there, or is a zombie that nobody has collected. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const started = process.platform === 'linux' ? await startOnLinux(pid) : await startByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Whether this very process runs. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await identityOf(identity.pid))?.started === identity.started;
}

/**
 * Asks the process to end and waits; kills it when the grace is over. Resolves with how it ended, or `absent` when it
 * was not running. Never touches another process that got the number.
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
    // It ended between the look and the signal.
  }
}

/** Field 22 of /proc/<pid>/stat counts from boot, so the boot belongs to it. */
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
