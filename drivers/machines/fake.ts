// Machines for tests: folders without isolation, with faults on demand.
import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { IsolationSpec } from '../../contract/wire/isolation.ts';
import { isEarlyRunner } from '../../runner/identity/processes.ts';
import { createTurns } from './in-turn.ts';
import { carries, labelsVersion, relabelled } from './labels.ts';
import { checkMachineName, localLayout } from './local/layout.ts';
import { connectLocal } from './local/machine.ts';
import { endRunner } from './local/runner-end.ts';
import { connectionLost } from './lost.ts';
import { LostSignals } from './lost-signals.ts';
import type { Machine, MachineInfo, MachineLabels, MachineProvider, MachineState } from './provider.ts';
import { createRunnerControl, launchRunner, RunnerDecisions } from './runner-control.ts';

export interface FakeProvider extends MachineProvider {
  /** Removes the machine with its disk, as a cloud may do. */
  lose(name: string): Promise<void>;
  /** Breaks the connections to the machine. The machine keeps running. */
  breakConnection(name: string): void;
  /** Makes the next calls of `create` fail with this error, until it is called with undefined. */
  refuseCreate(error: MurmurError | undefined): void;
  /** Blocks the next calls of `create` half-way until the returned function is called or they are cancelled. */
  holdCreate(): () => void;
}

interface FakeMachine {
  state: Exclude<MachineState, 'absent'>;
  labels: MachineLabels;
  readonly generation: string;
}

/** A fake machine uses the host's programs; it has none of its own. */
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';

/** A provider that holds its machines in memory and their folders below `folder`. */
export function createFakeProvider(folder: string): FakeProvider {
  const machines = new Map<string, FakeMachine>();
  const connections = new LostSignals((name) => decisions.forget(name));
  const decisions = new RunnerDecisions();
  const inTurn = createTurns();
  let refusal: MurmurError | undefined;
  let held: Promise<void> | undefined;

  function infoOf(name: string): MachineInfo {
    const machine = machines.get(name);
    if (machine === undefined) return { name, state: 'absent', labels: {}, version: '' };
    return { name, ...machine, version: labelsVersion(machine.labels) };
  }

  function known(name: string): FakeMachine {
    const machine = machines.get(name);
    if (machine === undefined) throw new MurmurError('NOT_FOUND', `machine ${name} does not exist`);
    return machine;
  }

  async function remove(name: string, why: string): Promise<void> {
    const layout = localLayout(folder, name);
    machines.delete(name);
    connections.lose(name, connectionLost(name, why));
    await endRunner(layout.runner);
    await rm(layout.directory, { recursive: true, force: true });
  }

  async function make(name: string, labels: MachineLabels, signal: AbortSignal): Promise<MachineInfo> {
    signal.throwIfAborted();
    if (refusal !== undefined) throw refusal;
    const before = machines.get(name);
    try {
      const layout = localLayout(folder, name);
      for (const each of [layout.home, layout.work, layout.run, layout.runner]) await mkdir(each, { recursive: true });
      if (before === undefined) decisions.forget(name);
      machines.set(name, before ?? { state: 'provisioning', labels, generation: randomUUID() });
      await Promise.race([held, aborted(signal)]);
      signal.throwIfAborted();
      known(name).state = 'running';
      return infoOf(name);
    } catch (error) {
      if (signal.aborted && before === undefined) await remove(name, 'its creation was cancelled');
      throw error;
    }
  }

  function connection(name: string): Machine {
    const layout = localLayout(folder, name);
    const env = { PATH: SYSTEM_PATH, HOME: layout.home };
    const site = connectLocal({ name, layout, lease: connections.lease(name), env });
    const { home, work, run, directory } = layout;
    const paths = { home, work, run, isolation: join(directory, 'isolation') };
    const isolation: IsolationSpec = { kind: 'tracking', machine: name, paths, hide: [], keep: [] };
    const control = createRunnerControl({
      site,
      isolation,
      decisions,
      start: (bundle) => launchRunner(site, bundle),
      isEarlyRunner: (address) => isEarlyRunner(layout.runner, address),
    });
    return { ...site, ...control };
  }

  return {
    name: 'fake',
    create: ({ name, labels }, { signal }) => inTurn(name, () => make(name, labels, signal)),
    describe: async (name) => {
      checkMachineName(name);
      return infoOf(name);
    },
    label: async (name, labels, { if: version }) => {
      const machine = known(name);
      if (infoOf(name).version !== version) throw relabelled(name);
      machine.labels = labels;
      return infoOf(name);
    },
    start: async (name) => void (known(name).state = 'running'),
    stop: async (name) => {
      const machine = machines.get(name);
      if (machine === undefined) return;
      machine.state = 'stopped';
      connections.lose(name, connectionLost(name, 'it was stopped'));
      await endRunner(localLayout(folder, name).runner);
    },
    destroy: (name) => inTurn(name, () => remove(name, 'it was destroyed')),
    lose: (name) => remove(name, 'it is gone'),
    breakConnection: (name) => connections.lose(name, connectionLost(name, 'it was cut')),
    refuseCreate: (error) => void (refusal = error),
    holdCreate: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = undefined;
        resolve();
      };
    },
    list: async (labels = {}) => ({
      machines: [...machines.keys()].map(infoOf).filter((info) => carries(info.labels, labels)),
      unreachable: [],
    }),
    connect: async (name) => {
      const { state } = known(name);
      if (state !== 'running') throw new MurmurError('UNAVAILABLE', `machine ${name} is ${state}`);
      return connection(name);
    },
    [Symbol.asyncDispose]: async () => connections.loseAll((name) => connectionLost(name, 'its provider was closed')),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
