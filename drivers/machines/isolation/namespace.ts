// Isolation by Linux namespaces, through the tools of util-linux: each program gets processes, mounts and /proc of its
// own. As root the agent is a user of its own; otherwise a user namespace gives the rights to lay the mounts.
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { MurmurError } from '../../../contract/wire/errors.ts';
import { endProcesses } from './end-processes.ts';
import type { Isolation, IsolationSpec } from './isolation.ts';
import { createPortHolder, isHeldBy } from './listening-sockets.ts';
import { COMPANION, MARKER, markOf } from './marker.ts';
import type { Cover } from './mount-plan.ts';
import { planCovers } from './mount-plan.ts';
import { mountScript } from './mount-script.ts';
import { coveredTmp, prepareNamespaceFiles } from './namespace-files.ts';
import { namespaceTools } from './namespace-tools.ts';
import { NamespacePrograms } from './namespace-programs.ts';
import { descendantsOf, isStartedSince, listFromProc, pidsOfUser, pidsWithVariable } from './process-table.ts';

/** The isolation in words for people. */
export function namespaceDescription(hasOwnUser: boolean): string {
  return hasOwnUser ? 'Linux namespaces and a user of its own' : 'Linux namespaces';
}

/** Throws FAILED_PRECONDITION without the tools, and for a root caller that gives the agent no user. */
export function createNamespaceIsolation(spec: IsolationSpec): Isolation {
  const { uid, machine } = spec;
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
  const userNamespace = isRoot ? [] : ['--user', '--map-current-user', '--keep-caps'];
  const unshare = [tools.unshare, ...userNamespace, '--pid', '--fork', '--kill-child', '--mount', '--'];

  return {
    isolation: namespaceDescription(isRoot),
    user: uid === undefined ? undefined : { uid, gid: uid },
    isWhole: true,
    spawn: (command, args, { cwd, env }) => {
      const script = mountScript({ tools, binds, covers: coversOf(spec), isFile, uid });
      // Each link of the chain dies with the one before: this process, unshare, the namespace's first process.
      const words = ['--pdeathsig', 'KILL', '--', ...unshare, tools.sh, '-c', script, 'murmur', cwd, command, ...args];
      return programs.add(
        spawn(tools.setpriv, words, {
          // The agent's working directory is entered inside, behind the covers.
          cwd: '/',
          env: { ...env, [MARKER]: machine },
          // A process group of its own: `kill 0` of an agent that shares our user would reach this process.
          detached: true,
        }),
      );
    },
    endStartedSince: async (since, keep) => {
      await endProcesses(async (table) => {
        const companions = await pidsWithVariable(`${COMPANION}=1`);
        const spared = new Set([...companions, ...keep.flatMap((pid) => [pid, ...programs.holding(pid, table)])]);
        return programs
          .within(table)
          .filter((entry) => isStartedSince(entry, since) && !spared.has(entry.pid))
          .map(({ pid }) => pid);
      });
    },
    endStarted: () => programs.endAll(),
    endAll: async () => {
      await endProcesses(async (table) => {
        const marked = await pidsWithVariable(markOf(machine));
        const ofUser = uid === undefined ? [] : await pidsOfUser(uid);
        const found = new Set([...marked, ...ofUser, ...programs.within(table).map(({ pid }) => pid)]);
        return [...found, ...descendantsOf([...found], table).map(({ pid }) => pid)];
      });
    },
    portHolder: createPortHolder(async (listener) => {
      if (uid !== undefined) return listener.uid === uid;
      const pids = programs.within(listFromProc()).map(({ pid }) => pid);
      return await isHeldBy(pids, listener);
    }),
  };
}

function coversOf(spec: IsolationSpec): readonly Cover[] {
  const { hide, keep, paths, uid } = spec;
  const tmp = coveredTmp(spec);
  return planCovers({
    hide: hide.filter((path) => existsSync(path)),
    open: tmp === undefined ? [] : [tmp],
    needed: [paths.home, paths.work, paths.run, ...keep].filter((path) => existsSync(path)),
    isPassable: (folder) => uid === undefined || isPassableFor(folder, uid),
  });
}

function isFile(path: string): boolean {
  return !statSync(path).isDirectory();
}

function isPassableFor(folder: string, uid: number): boolean {
  const { mode, uid: owner, gid: group } = statSync(folder);
  if (owner === uid) return (mode & 0o100) !== 0;
  return (mode & (group === uid ? 0o010 : 0o001)) !== 0;
}
