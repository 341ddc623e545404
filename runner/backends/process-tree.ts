// Kills a process and its descendants. Needs only built-ins and `ps`, which every Unix has.
import type { ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Listing processes takes milliseconds. After this time, only the child itself is killed. */
const PS_MS = 5_000;

/**
 * Kills the child and its descendants. The machine's isolation ends processes that have left the tree, such as daemons.
 * Does not wait for the end and never throws.
 */
export async function endProcessTree(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const descendants = await descendantsOf(child.pid);
  child.kill('SIGKILL');
  for (const pid of descendants) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has already ended.
    }
  }
}

async function descendantsOf(root: number): Promise<readonly number[]> {
  const children = new Map<number, number[]>();
  for (const [pid, parent] of await listProcesses()) {
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [pid]);
    else siblings.push(pid);
  }
  const found: number[] = [];
  for (const queue = [root]; queue.length > 0;) {
    const below = children.get(queue.pop() ?? root) ?? [];
    found.push(...below);
    queue.push(...below);
  }
  return found;
}

async function listProcesses(): Promise<readonly (readonly [pid: number, parent: number])[]> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid='], { timeout: PS_MS });
    return stdout
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
      .flatMap(([pid, parent]) => (pid === undefined || parent === undefined ? [] : [[pid, parent] as const]));
  } catch {
    return [];
  }
}
