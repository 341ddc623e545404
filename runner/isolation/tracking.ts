// Isolation without namespaces. Processes carry a mark and run in known process groups. They are found by mark,
// ancestry and working directory. This kind can end processes but hides nothing.
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Readable } from 'node:stream';
import { endProcesses } from './end-processes.ts';
import type { Isolation } from './port.ts';
import type { IsolationSpec } from '../../contract/wire/isolation.ts';
import { createPortHolder, isHeldBy } from './listening-sockets.ts';
import { COMPANION, MARKER, markOf } from './marker.ts';
import type { ProcessEntry } from './process-table.ts';
import { descendantsOf, isStartedSince, listProcesses, pidsWithin, pidsWithVariable } from './process-table.ts';
import { programScript, sendScript } from './program-script.ts';

/** The isolation as text for people. */
export const TRACKING_DESCRIPTION = 'process tracking: agents can read what you can read';

/**
 * Runs the program as a group leader, with a guard process. The guard waits for the end of a pipe from this process and
 * then kills the group. Only the program has the input and output, so that their ends are noticed. The shell that
 * becomes the program gets the environment through another pipe.
 */
const GUARDED = [
  '{ read -r _ <&3; kill -KILL 0; } </dev/null >/dev/null 2>&1 4<&- &',
  'exec 3<&- 5<&4 4<&0; exec /bin/sh -s -- "$@" <&5 5<&-',
].join('\n');

export function createTrackingIsolation({ machine, paths }: IsolationSpec): Isolation {
  const running = new Set<ChildProcessWithoutNullStreams>();

  async function members(table: readonly ProcessEntry[]): Promise<ReadonlySet<number>> {
    const marked = await pidsWithVariable(markOf(machine));
    const standing = pidsWithin([paths.home, paths.work, paths.run, paths.isolation]);
    const own = [...running].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    const found = [...new Set([...marked, ...standing, ...own])].filter((pid) => pid !== process.pid);
    return new Set([...found, ...descendantsOf(found, table).map(({ pid }) => pid)]);
  }

  return {
    isolation: TRACKING_DESCRIPTION,
    user: undefined,
    isWhole: false,
    spawn: (command, args, { cwd, env }) => {
      const program = programScript({ lines: [], env, machine });
      const child = spawn('/bin/sh', ['-c', GUARDED, 'murmur', cwd, command, ...args], {
        cwd,
        env: { [MARKER]: machine },
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
      });
      sendScript(child.stdio[4], program);
      running.add(child);
      const leash = child.stdio[3] as Readable;
      // The pipe breaks when the guard is killed with its group.
      leash.on('error', () => undefined);
      const letGo = (): void => {
        running.delete(child);
        leash.destroy();
      };
      child.once('exit', letGo);
      child.once('error', letGo);
      return child;
    },
    endStartedSince: async (since, keep, withCompanions = false) => {
      await endProcesses(async (table) => {
        const inside = await members(table);
        const companions = withCompanions ? [] : await pidsWithVariable(`${COMPANION}=1`);
        const spared = new Set([...companions, ...keep]);
        return table
          .filter((entry) => inside.has(entry.pid) && isStartedSince(entry, since) && !spared.has(entry.pid))
          .map(({ pid }) => pid);
      });
    },
    // Processes that have left their group are only found in the process table.
    endStarted: () => endProcesses(members),
    endAll: () => endProcesses(members),
    portHolder: createPortHolder(async (listener) => await isHeldBy(await members(await listProcesses()), listener)),
  };
}
