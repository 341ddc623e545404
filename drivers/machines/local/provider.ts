// Machines that are directories of this host: no cloud, no account. What an agent can reach is bounded by isolation.
import { chmod, lchown, mkdir, readdir, rm } from 'node:fs/promises';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { MachineInfo, MachineProvider } from '../provider.ts';
import type { LocalIsolation } from './isolation.ts';
import { isMachineName, localLayout, type LocalLayout } from './layout.ts';
import { connectLocal } from './machine.ts';
import { installPrograms } from './programs.ts';
import { isMissing, readRecord, writeRecord, type LocalRecord } from './record.ts';
import { endRunner } from './runner-end.ts';
import { RunnerHosts } from './runner-hosts.ts';
import { returnUser, takeUser } from './users.ts';

export interface LocalProviderOptions {
  /** MURMUR_HOME/machines. */
  readonly machines: string;
  readonly isolation: LocalIsolation;
  /** Programs that agents find first on their PATH: name → absolute path, or the words of a command line. */
  readonly programs: Readonly<Record<string, string | readonly string[]>>;
  /** The caller's environment, without credentials of models. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the processes that serve runners keep what they have compiled. */
  readonly compileCache?: string | undefined;
}

/** Bytes of a socket's path, less the longest file name in a machine's `run`. */
const LONGEST_RUN = 107 - '/git.sock'.length;

/** The provider `local`. */
export function createLocalProvider(options: LocalProviderOptions): MachineProvider {
  const { machines, isolation } = options;
  const hosts = new RunnerHosts({
    machines,
    env: { ...options.env, NODE_COMPILE_CACHE: options.compileCache },
  });
  const layoutOf = (name: string): LocalLayout => localLayout(machines, name);
  const infoOf = (record: LocalRecord): MachineInfo => ({
    name: record.name,
    state: record.state,
    isolation: isolation.description,
    labels: record.labels,
  });
  const settingsOf = (record: LocalRecord): ReturnType<LocalIsolation['settings']> =>
    isolation.settings({ name: record.name, layout: layoutOf(record.name), uid: record.uid });

  async function known(name: string): Promise<LocalRecord> {
    const record = await readRecord(layoutOf(name).record);
    if (record === undefined) throw new MurmurError('NOT_FOUND', `machine ${name} does not exist`);
    return record;
  }

  /** Ends the runner and everything that the agent started. The record stays. */
  async function endProcesses(record: LocalRecord): Promise<void> {
    const leftNothing = await endRunner(layoutOf(record.name).runner);
    if (!leftNothing) await isolation.endAll(settingsOf(record));
  }

  return {
    name: 'local',

    create: async ({ name, labels }) => {
      const layout = layoutOf(name);
      const before = await readRecord(layout.record);
      const uid = before?.uid ?? (isolation.ownUser ? await takeUser(machines, name) : undefined);
      await makeFolders(layout, uid);
      await installPrograms(layout.bin, options.programs);
      const record: LocalRecord = { name, labels, state: 'running', ...(uid === undefined ? {} : { uid }) };
      // Written last: a machine with a record is whole.
      await writeRecord(layout.record, record);
      return infoOf(record);
    },

    describe: async (name) => {
      const record = await readRecord(layoutOf(name).record);
      return record === undefined
        ? { name, state: 'absent', isolation: isolation.description, labels: {} }
        : infoOf(record);
    },

    start: async (name) => {
      const record = await known(name);
      await writeRecord(layoutOf(name).record, { ...record, state: 'running' });
    },

    stop: async (name) => {
      const record = await readRecord(layoutOf(name).record);
      if (record === undefined) return;
      await writeRecord(layoutOf(name).record, { ...record, state: 'stopped' });
      await endProcesses(record);
    },

    destroy: async (name) => {
      const layout = layoutOf(name);
      const record = await readRecord(layout.record);
      if (record !== undefined) await endProcesses(record);
      await rm(layout.directory, { recursive: true, force: true });
      await returnUser(machines, name);
    },

    list: async (labels = {}) => {
      const names = (await readdir(machines).catch(() => [])).filter(isMachineName);
      const records = await Promise.all(names.map((name) => readRecord(layoutOf(name).record)));
      return records
        .filter((record) => record !== undefined)
        .filter((record) => Object.entries(labels).every(([key, value]) => record.labels[key] === value))
        .map(infoOf);
    },

    connect: async (name) => {
      const record = await known(name);
      if (record.state === 'stopped') {
        throw new MurmurError('UNAVAILABLE', `machine ${name} is stopped`, { hint: 'start it first' });
      }
      const layout = layoutOf(name);
      const env = { ...options.env, PATH: `${layout.bin}:${options.env['PATH'] ?? ''}` };
      // A runner of its own process stands in `run`, from where the path of its socket is short.
      const isShared = isolation.isWhole && Buffer.byteLength(layout.run) <= LONGEST_RUN;
      const machine = connectLocal({
        name,
        layout,
        isolation: isolation.description,
        isolationSettings: settingsOf(record),
        env,
      });
      // A machine may have been made by an earlier build, whose programs lay elsewhere. Nothing runs on it when its runner starts.
      const withPrograms = async (start: () => Promise<void>): Promise<void> => {
        await installPrograms(layout.bin, options.programs).catch((error: unknown) => {
          throw isMissing(error)
            ? new MurmurError('NOT_FOUND', `machine ${name} does not exist`, { cause: error })
            : error;
        });
        await start();
      };
      return {
        ...machine,
        launch: (...program) => withPrograms(() => machine.launch(...program)),
        shareRunner: isShared
          ? (bundle) => withPrograms(() => hosts.serve(bundle, { directory: layout.runner, env }))
          : undefined,
      };
    },
  };
}

/** The agent's folders belong to its user; the others stay the caller's. */
async function makeFolders(layout: LocalLayout, uid: number | undefined): Promise<void> {
  for (const folder of [layout.home, layout.work, layout.run, layout.bin, layout.runner]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  // Passed through and read by the agent's user, written by the caller only.
  await chmod(layout.directory, 0o711);
  await chmod(layout.bin, 0o755);
  if (uid === undefined) return;
  for (const folder of [layout.home, layout.work]) await lchown(folder, uid, uid);
}
