// The programs that run in namespaces, seen from outside: `unshare`, below it the namespace's first process, and below
// that the program itself and everything that lost its parent.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { END_LIMIT_MS, unending } from './end-processes.ts';
import type { ProcessEntry } from './process-table.ts';
import { childrenOf, descendantsOf, listFromProc } from './process-table.ts';

export class NamespacePrograms {
  readonly #running = new Set<ChildProcessWithoutNullStreams>();

  /** Takes note of a program until it ends, and lets signals reach it: `unshare` itself blocks or swallows them. */
  add(child: ChildProcessWithoutNullStreams): ChildProcessWithoutNullStreams {
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    child.once('error', () => this.#running.delete(child));
    const killAll = child.kill.bind(child);
    child.kill = (signal = 'SIGTERM') => {
      if (signal === 0 || child.pid === undefined) return killAll(signal);
      // Not `unshare`: it would be gone before the namespace is, and nobody could wait for that.
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
   * Ends every program and all that is in its namespace. The first process of a namespace is gone only when all others in
   * it are, and `unshare` waits for it: nobody has to look for them. Throws UNAVAILABLE when that takes more than 10 s.
   */
  async endAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => this.#end(child)));
  }

  /** Every process inside, with what holds them. */
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

  /** The namespace's first process and the program, of which `pid` is the holder. */
  holding(pid: number, table: readonly ProcessEntry[]): readonly number[] {
    const first = table.find(({ parent }) => parent === pid);
    if (first === undefined) return [];
    // What lost its parent hangs there as well, but is younger. Ids are told apart within one tick of the clock.
    const [program] = table
      .filter(({ parent }) => parent === first.pid)
      .sort((a, b) => a.started - b.started || a.pid - b.pid);
    return program === undefined ? [first.pid] : [first.pid, program.pid];
  }

  async #end(child: ChildProcessWithoutNullStreams): Promise<void> {
    if (child.pid === undefined || !this.#running.has(child)) return;
    const gone = once(child, 'exit', { signal: AbortSignal.timeout(END_LIMIT_MS) });
    // Before there is a first process, and where the system does not tell it, `unshare` takes it along.
    const [first = child.pid] = childrenOf(child.pid);
    kill(first);
    await gone.catch(() => {
      throw unending([first]);
    });
  }
}

/** False when there is no such process. */
function kill(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
