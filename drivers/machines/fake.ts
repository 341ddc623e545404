// Machines for tests: folders without isolation, with faults on demand.
import { mkdir, rm } from 'node:fs/promises';
import { MurmurError } from '../../contract/wire/errors.ts';
import { localLayout } from './local/layout.ts';
import { connectLocal } from './local/machine.ts';
import { endRunner } from './local/runner-end.ts';
import type { MachineInfo, MachineProvider, MachineState } from './provider.ts';

export interface FakeProvider extends MachineProvider {
  /** Takes the machine away, disk and all, as a cloud may. */
  lose(name: string): Promise<void>;
  /** Lets the next calls of `create` fail with this error; undefined ends it. */
  refuseCreate(error: MurmurError | undefined): void;
}

/** How a fake machine holds processes apart. */
const NO_ISOLATION = 'none (fake machine)';

/** Programs that every host has; a fake machine brings none. */
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';

/** A provider that keeps its machines in memory and their folders under `folder`. */
export function createFakeProvider(folder: string): FakeProvider {
  const machines = new Map<
    string,
    { state: Exclude<MachineState, 'absent'>; labels: Readonly<Record<string, string>> }
  >();
  let refusal: MurmurError | undefined;

  function infoOf(name: string): MachineInfo {
    const machine = machines.get(name);
    return { name, state: machine?.state ?? 'absent', isolation: NO_ISOLATION, labels: machine?.labels ?? {} };
  }

  async function remove(name: string): Promise<void> {
    const layout = localLayout(folder, name);
    machines.delete(name);
    await endRunner(layout.runner);
    await rm(layout.directory, { recursive: true, force: true });
  }

  return {
    name: 'fake',
    create: async ({ name, labels }) => {
      if (refusal !== undefined) throw refusal;
      const layout = localLayout(folder, name);
      for (const each of [layout.home, layout.work, layout.run, layout.runner]) await mkdir(each, { recursive: true });
      machines.set(name, { state: 'running', labels });
      return infoOf(name);
    },
    describe: (name) => Promise.resolve(infoOf(name)),
    start: (name) => {
      const machine = machines.get(name);
      if (machine === undefined) return Promise.reject(absent(name));
      machine.state = 'running';
      return Promise.resolve();
    },
    stop: async (name) => {
      const machine = machines.get(name);
      if (machine === undefined) return;
      machine.state = 'stopped';
      await endRunner(localLayout(folder, name).runner);
    },
    destroy: remove,
    lose: remove,
    refuseCreate: (error) => void (refusal = error),
    list: (labels = {}) =>
      Promise.resolve(
        [...machines.keys()]
          .map(infoOf)
          .filter((info) => Object.entries(labels).every(([key, value]) => info.labels[key] === value)),
      ),
    connect: (name) => {
      const machine = machines.get(name);
      if (machine === undefined) return Promise.reject(absent(name));
      if (machine.state !== 'running') {
        return Promise.reject(new MurmurError('UNAVAILABLE', `machine ${name} is ${machine.state}`));
      }
      return Promise.resolve(
        connectLocal({
          name,
          layout: localLayout(folder, name),
          isolation: NO_ISOLATION,
          isolationSettings: { kind: 'none' },
          env: { PATH: SYSTEM_PATH, HOME: localLayout(folder, name).home },
        }),
      );
    },
  };
}

function absent(name: string): MurmurError {
  return new MurmurError('NOT_FOUND', `machine ${name} does not exist`);
}
