// Tracks the programs in namespaces from outside. Process tree: `unshare`, then the namespace's first process, then the
// program and orphaned processes.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { END_LIMIT_MS, unending } from './end-processes.ts';
import type { ProcessEntry } from './process-table.ts';
import { childrenOf, descendantsOf, listFromProc } from './process-table.ts';

export class NamespacePrograms {
  readonly #running = new Set<ChildProcessWithoutNullStreams>();

  /** Tracks a program until it ends, and forwards signals to it: `unshare` itself blocks or ignores them. */
  add(child: ChildProcessWithoutNullStreams): ChildProcessWithoutNullStreams {
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    child.once('error', () => this.#running.delete(child));
    const killAll = child.kill.bind(child);
    child.kill = (signal = 'SIGTERM') => {
      if (signal === 0 || child.pid === undefined) return killAll(signal);
      // Kills the first process, not `unshare`: that would end before the namespace is gone, and no end could be
      // awaited.
      if (signal === 'SIGKILL' || signal === 9) return kill(childrenOf(child.pid)[0]) || killAll(signal);
      const [, program] = this.holding(child.pid, listFromProc());
      if (program === undefined || child.exitCode !== null) return false;
      try {
        return process.kill(program, signal);
      } catch {
        return false;
      }
    };
    return child;
  }

  /**
   * Ends every program and all processes of its namespace. The first process is gone only after all others, and
   * `unshare` waits for it, so no polling is needed. Throws UNAVAILABLE after 10 s.
   */
  async endAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => this.#end(child)));
  }

  /** Every process inside, and `unshare` and the first processes above them. */
  within(table: readonly ProcessEntry[]): readonly ProcessEntry[] {
    const pids = new Set([...this.#running].map((child) => child.pid));
    const roots = table.filter(({ pid }) => pids.has(pid));
    return [
      ...roots,
      ...descendantsOf(
        roots.map(({ pid }) => pid),
        table,
      ),
    ];
  }

  /** The namespace's first process and the program below the `unshare` with this `pid`. */
  holding(pid: number, table: readonly ProcessEntry[]): readonly number[] {
    const first = table.find(({ parent }) => parent === pid);
    if (first === undefined) return [];
    // Orphaned processes are children of the first process too, but younger. Within one clock tick, ids decide.
    const [program] = table
      .filter(({ parent }) => parent === first.pid)
      .sort((a, b) => a.started - b.started || a.pid - b.pid);
    return program === undefined ? [first.pid] : [first.pid, program.pid];
  }

  async #end(child: ChildProcessWithoutNullStreams): Promise<void> {
    if (child.pid === undefined || !this.#running.has(child)) return;
    const gone = once(child, 'exit', { signal: AbortSignal.timeout(END_LIMIT_MS) });
    // Kills `unshare` when there is no first process yet or the system does not list it; `unshare` ends it then.
    const [first = child.pid] = childrenOf(child.pid);
    kill(first);
    await gone.catch(() => {
      throw unending([first]);
    });
  }
}

/** Kills the process; false when it does not exist. */
function kill(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
