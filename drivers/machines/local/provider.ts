// Machines that are directories of this host. They need no cloud account. Isolation limits what an agent can reach.
import { randomUUID } from 'node:crypto';
import { chmod, lchown, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { IsolationSpec } from '../../../contract/wire/isolation.ts';
import { connectionLost } from '../lost.ts';
import type { Machine, MachineInfo, MachineProvider } from '../provider.ts';
import { createRunnerControl, launchRunner, RunnerDecisions } from '../runner-control.ts';
import type { LocalIsolation } from './isolation.ts';
import { isMachineName, localLayout, type LocalLayout } from './layout.ts';
import { connectLocal } from './machine.ts';
import { installPrograms, type Programs } from './programs.ts';
import { isMissing, readRecord, writeRecord, type LocalRecord } from './record.ts';
import { endRunner } from './runner-end.ts';
import { RunnerHosts } from './runner-hosts.ts';
import { isEarlyRunner } from '../../../runner/identity/processes.ts';
import { KeyLocks } from '../../key-locks.ts';
import { createTurns } from '../in-turn.ts';
import { carries, labelsVersion, relabelled } from '../labels.ts';
import { LostSignals } from '../lost-signals.ts';
import { returnUser, takeUser } from './users.ts';

export interface LocalProviderOptions {
  /** MURMUR_HOME/machines. */
  readonly machines: string;
  readonly isolation: LocalIsolation;
  /** Programs that agents find first on their PATH. They may still be built. */
  readonly programs: Programs | Promise<Programs>;
  /** The caller's environment, without credentials of models. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Compile cache of the processes that serve runners. */
  readonly compileCache?: string | undefined;
}

/** Locks of the machines' records, below `machines`. A short name, because the path of a socket is limited. */
const LOCKS = '.lock';

/** Bytes of the longest path of a Unix socket, less the longest file name in a machine's `run`. */
const LONGEST_RUN = 107 - '/git.sock'.length;

export interface LocalProvider extends MachineProvider {
  /** The isolation part of the configuration of the machine's runner. Throws NOT_FOUND for an absent machine. */
  isolationOf(name: string): Promise<IsolationSpec>;
}

/** The provider `local`. */
export function createLocalProvider(options: LocalProviderOptions): LocalProvider {
  const { machines, isolation } = options;
  const hosts = new RunnerHosts({
    machines,
    env: { ...options.env, NODE_COMPILE_CACHE: options.compileCache },
  });
  const layoutOf = (name: string): LocalLayout => localLayout(machines, name);
  const decisions = new RunnerDecisions();
  const connections = new LostSignals((name) => decisions.forget(name));
  const inTurn = createTurns();
  // Worker and API server have a provider each, so that `inTurn` does not order their changes.
  const locks = new KeyLocks(join(machines, LOCKS));
  const infoOf = ({ name, state, labels, generation }: LocalRecord): MachineInfo => ({
    name,
    state,
    labels,
    version: labelsVersion(labels),
    ...(generation === undefined ? {} : { generation }),
  });
  const settingsOf = (record: LocalRecord): IsolationSpec =>
    isolation.settings({ name: record.name, layout: layoutOf(record.name), uid: record.uid });

  async function known(name: string): Promise<LocalRecord> {
    const record = await readRecord(layoutOf(name).record);
    if (record === undefined) throw new MurmurError('NOT_FOUND', `machine ${name} does not exist`);
    return record;
  }

  /** Replaces the record by what `change` makes of it. Throws NOT_FOUND for an absent machine. */
  async function changeRecord(name: string, change: (record: LocalRecord) => LocalRecord): Promise<LocalRecord> {
    return await locks.exclusive(name, async () => {
      const changed = change(await known(name));
      await writeRecord(layoutOf(name).record, changed);
      return changed;
    });
  }

  /** A machine that is whole. */
  async function made(name: string): Promise<LocalRecord> {
    const record = await known(name);
    if (record.state !== 'provisioning') return record;
    throw new MurmurError('UNAVAILABLE', `machine ${name} is not ready yet`);
  }

  /** Ends the runner and everything that the agent started. The record stays. */
  async function endProcesses(record: LocalRecord): Promise<void> {
    const { runner } = layoutOf(record.name);
    const leftNothing = await endRunner(runner);
    hosts.left(runner);
    if (!leftNothing) await isolation.endAll(settingsOf(record));
  }

  async function remove(name: string): Promise<void> {
    const layout = layoutOf(name);
    const record = await readRecord(layout.record);
    // Nothing has run on a machine whose creation is not complete.
    if (record !== undefined && record.state !== 'provisioning') await endProcesses(record);
    // Removes the record last: after an interrupted removal, the machine is still listed.
    for (const entry of await entriesOf(layout.directory)) {
      const path = join(layout.directory, entry);
      if (path !== layout.record) await rm(path, { recursive: true, force: true });
    }
    await locks.exclusive(name, () => rm(layout.directory, { recursive: true, force: true }));
    await returnUser(machines, name);
  }

  return {
    name: 'local',

    create: ({ name, labels }, { signal }) =>
      inTurn(name, async () => {
        const layout = layoutOf(name);
        signal.throwIfAborted();
        const before = await readRecord(layout.record);
        // A runner known under this name belonged to a machine that somebody removed from the disk.
        if (before === undefined) decisions.forget(name);
        const begun: LocalRecord = before ?? { name, labels, state: 'provisioning', generation: randomUUID() };
        try {
          if (before === undefined) {
            await mkdir(layout.directory, { recursive: true, mode: 0o700 });
            // Writes the record first: after an interrupted creation, the machine is listed with its labels and can be
            // ended.
            await writeRecord(layout.record, begun);
          }
          const uid = begun.uid ?? (isolation.ownUser ? await takeUser(machines, name) : undefined);
          await makeFolders(layout, uid);
          signal.throwIfAborted();
          await installPrograms(layout.bin, await options.programs);
          signal.throwIfAborted();
          const own = uid === undefined ? {} : { uid };
          // Its labels may have been replaced since.
          const record = await changeRecord(name, (now) => ({ ...now, state: 'running', ...own }));
          signal.throwIfAborted();
          return infoOf(record);
        } catch (error) {
          if (signal.aborted && begun.state === 'provisioning') await remove(name);
          throw error;
        }
      }),

    describe: async (name) => {
      const record = await readRecord(layoutOf(name).record);
      return record === undefined ? { name, state: 'absent', labels: {}, version: '' } : infoOf(record);
    },

    label: (name, labels, { if: version }) =>
      inTurn(name, async () => {
        const changed = await changeRecord(name, (record) => {
          if (infoOf(record).version !== version) throw relabelled(name);
          return { ...record, labels };
        });
        return infoOf(changed);
      }),

    start: async (name) => {
      await made(name);
      await changeRecord(name, (record) => ({ ...record, state: 'running' }));
    },

    stop: async (name) => {
      const record = await readRecord(layoutOf(name).record);
      if (record === undefined || record.state === 'provisioning') return;
      await changeRecord(name, (now) => ({ ...now, state: 'stopped' }));
      connections.lose(name, connectionLost(name, 'it was stopped'));
      await endProcesses(record);
    },

    destroy: (name) => {
      connections.lose(name, connectionLost(name, 'it was destroyed'));
      return inTurn(name, () => remove(name));
    },

    list: async (labels = {}) => {
      const names = (await entriesOf(machines)).filter(isMachineName);
      const records = await Promise.all(names.map((name) => readRecord(layoutOf(name).record)));
      const found = records.filter((record) => record !== undefined);
      return { machines: found.filter((record) => carries(record.labels, labels)).map(infoOf), unreachable: [] };
    },

    connect: async (name) => {
      const record = await made(name);
      if (record.state === 'stopped') {
        throw new MurmurError('UNAVAILABLE', `machine ${name} is stopped`, { hint: 'start it first' });
      }
      return machineOf(record);
    },

    isolationOf: async (name) => settingsOf(await known(name)),

    [Symbol.asyncDispose]: async () => {
      connections.loseAll((name) => connectionLost(name, 'its provider was closed'));
      hosts.close();
    },
  };

  function machineOf(record: LocalRecord): Machine {
    const { name } = record;
    const layout = layoutOf(name);
    const env = { ...options.env, PATH: `${layout.bin}:${options.env['PATH'] ?? ''}` };
    // A runner with its own process uses `run` as working directory: a relative path keeps its socket's path short.
    const isShared = isolation.isWhole && Buffer.byteLength(layout.run) <= LONGEST_RUN;
    const site = connectLocal({ name, layout, lease: connections.lease(name), env });
    const control = createRunnerControl({
      site,
      isolation: settingsOf(record),
      decisions,
      isEarlyRunner: (address) => isEarlyRunner(layout.runner, address),
      start: async (bundle) => {
        // An earlier build may have created the machine with other paths of programs. Nothing runs on it before its
        // runner.
        await installPrograms(layout.bin, await options.programs).catch((error: unknown) => {
          throw isMissing(error)
            ? new MurmurError('NOT_FOUND', `machine ${name} does not exist`, { cause: error })
            : error;
        });
        if (!isShared) return await launchRunner(site, bundle);
        await hosts.serve(bundle, { directory: layout.runner, env });
        return 'serving';
      },
    });
    return { ...site, ...control };
  }
}

/** The entries of the folder; none if it is missing. Throws if it cannot be read. */
async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The agent's folders belong to its user; the others stay the caller's. */
async function makeFolders(layout: LocalLayout, uid: number | undefined): Promise<void> {
  for (const folder of [layout.home, layout.work, layout.run, layout.bin, layout.runner]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  // The agent's user may traverse and read these; only the caller may write.
  await chmod(layout.directory, 0o711);
  await chmod(layout.bin, 0o755);
  if (uid === undefined) return;
  for (const folder of [layout.home, layout.work]) await lchown(folder, uid, uid);
}
