// Isolation by Linux namespaces, with the tools of util-linux: each program gets its own processes, mounts and /proc. A
// root runner gives the agent its own user. Otherwise a user namespace gives the rights to mount.
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { MurmurError } from '../../contract/wire/errors.ts';
import { DEFAULT_MACHINE_LIMITS } from '../../contract/wire/machine-limits.ts';
import { cgroupsOnDemand, enterLines, removeCgroups } from './cgroups.ts';
import { endProcesses } from './end-processes.ts';
import { closingInherited } from './inherited.ts';
import type { Isolation } from './port.ts';
import type { IsolationSpec } from '../../contract/wire/isolation.ts';
import { namespaceLimitLines, processLimitLines } from './limits.ts';
import { createPortHolder, isHeldBy } from './listening-sockets.ts';
import { COMPANION, MARKER, markOf } from './marker.ts';
import { mountScript } from './mount-script.ts';
import { prepareNamespaceFiles } from './namespace-files.ts';
import { namespaceTools } from './namespace-tools.ts';
import { NamespacePrograms } from './namespace-programs.ts';
import { namespaceView } from './namespace-view.ts';
import { programScript, sendScript } from './program-script.ts';
import {
  descendantsOf,
  isInsideNamespace,
  isStartedSince,
  listFromProc,
  pidsOfUser,
  pidsWithVariable,
} from './process-table.ts';

/** The isolation as text for people. */
export function namespaceDescription(hasOwnUser: boolean): string {
  return hasOwnUser ? 'Linux namespaces and a user of its own' : 'Linux namespaces';
}

/** stdin, stdout, stderr, and the script of the program. */
const PIPES = ['pipe', 'pipe', 'pipe', 'pipe'] as const;

/** Throws FAILED_PRECONDITION without the tools, and when a root caller gives the agent no user. */
export function createNamespaceIsolation(spec: IsolationSpec): Isolation {
  const { uid, machine, paths, limits = DEFAULT_MACHINE_LIMITS } = spec;
  const isRoot = process.getuid?.() === 0;
  if (isRoot !== (uid !== undefined)) {
    throw new MurmurError(
      'FAILED_PRECONDITION',
      `machine ${machine}: root, and only root, gives an agent its own user`,
    );
  }
  const tools = namespaceTools();
  const binds = prepareNamespaceFiles(spec);
  const programs = new NamespacePrograms();
  const cgroups = cgroupsOnDemand(machine, limits, paths.isolation);
  const userNamespace = isRoot ? [] : ['--user', '--map-current-user', '--keep-caps'];
  // Private: mounts inside must not appear outside, where removing a machine's folder would remove their contents.
  const mounts = ['--mount', '--propagation', 'private'];
  const unshare = [tools.unshare, ...userNamespace, '--pid', '--ipc', '--fork', '--kill-child', ...mounts, '--'];

  return {
    isolation: namespaceDescription(isRoot),
    user: uid === undefined ? undefined : { uid, gid: uid },
    isWhole: true,
    spawn: (command, args, { cwd, env }) => {
      const entered = cgroups();
      const lines = [...enterLines(entered), ...namespaceLimitLines(limits)];
      const script = mountScript({ tools, lines, uid, view: namespaceView(spec, binds, limits) });
      const hasMemoryCgroup = entered.controllers.includes('memory');
      const ownLines = processLimitLines(limits, { ownUser: isRoot, hasMemoryCgroup });
      const program = programScript({ lines: ownLines, env, machine });
      // Each process of the chain dies with its parent: this process, unshare, the namespace's first process.
      const words = ['--pdeathsig', 'KILL', '--', ...unshare, tools.sh, '-c', script, 'murmur', cwd, command, ...args];
      const child = spawn(tools.setpriv, words, {
        // The script enters the agent's working directory, after the covers are mounted.
        cwd: '/',
        // Not the program's environment: most processes of the chain have more rights. Clean-up finds them by the mark.
        env: { [MARKER]: machine },
        // Its own process group: otherwise `kill 0` of an agent with our user id would reach this process.
        detached: true,
        stdio: closingInherited(PIPES),
      }) as ChildProcessWithoutNullStreams;
      sendScript(child.stdio[3], program);
      return programs.add(child);
    },
    endStartedSince: async (since, keep, withCompanions = false) => {
      await endProcesses(async (table) => {
        const companions = withCompanions ? [] : await pidsWithVariable(`${COMPANION}=1`);
        const spared = new Set([...companions, ...keep.flatMap((pid) => [pid, ...programs.holding(pid, table)])]);
        return programs
          .within(table)
          .filter((entry) => isStartedSince(entry, since) && !spared.has(entry.pid))
          .map(({ pid }) => pid);
      });
    },
    endStarted: async () => {
      await programs.endAll();
      await removeCgroups(paths.isolation);
    },
    endAll: async () => {
      await endProcesses(async (table) => {
        // Inside, another machine's agent can set the mark. The processes there are found below the first one.
        const marked = [...(await pidsWithVariable(markOf(machine)))].filter((pid) => !isInsideNamespace(pid));
        const ofUser = uid === undefined ? [] : await pidsOfUser(uid);
        const found = new Set([...marked, ...ofUser, ...programs.within(table).map(({ pid }) => pid)]);
        return [...found, ...descendantsOf([...found], table).map(({ pid }) => pid)];
      });
      await removeCgroups(paths.isolation);
    },
    portHolder: createPortHolder(async (listener) => {
      if (uid !== undefined) return listener.uid === uid;
      const pids = programs.within(listFromProc()).map(({ pid }) => pid);
      return await isHeldBy(pids, listener);
    }),
  };
}
