// Implements the calls of the program on a host.
import type { MachineProvider } from '../provider.ts';
import type { HostCallName, HostCalls, HostReport } from './host-call.ts';

/** One function for each call except `start`. */
export type HostCallTable = {
  readonly [Name in Exclude<HostCallName, 'start'>]: (
    args: HostCalls[Name]['args'],
    signal: AbortSignal,
  ) => Promise<HostCalls[Name]['answer']>;
};

export interface HostPlaces {
  /** Folder of a machine's own programs. */
  readonly bin: (name: string) => string;
  readonly path: string;
  /** Looks at the host itself. */
  readonly inspect: () => Promise<HostReport>;
}

/** The calls on these machines. */
export function hostCalls(machines: MachineProvider, places: HostPlaces): HostCallTable {
  const done = async (work: Promise<void>): Promise<Record<string, never>> => {
    await work;
    return {};
  };
  return {
    inspect: () => places.inspect(),
    create: ({ spec, requestId }, signal) => machines.create(spec, { signal, requestId }),
    describe: ({ name }, signal) => machines.describe(name, signal),
    label: ({ name, labels, if: version }, signal) => machines.label(name, labels, { if: version, signal }),
    startMachine: ({ name }, signal) => done(machines.start(name, signal)),
    stop: ({ name }, signal) => done(machines.stop(name, signal)),
    destroy: ({ name }, signal) => done(machines.destroy(name, signal)),
    list: async ({ labels }, signal) => (await machines.list(labels, signal)).machines,
    connect: async ({ name }, signal) => {
      await using machine = await machines.connect(name, signal);
      return { paths: machine.paths, bin: places.bin(name), path: places.path };
    },
    facts: async ({ name }, signal) => {
      await using machine = await machines.connect(name, signal);
      return await machine.facts();
    },
    launch: async ({ name, command, words, log, env }, signal) => {
      await using machine = await machines.connect(name, signal);
      return await done(machine.launch(command, words, { log, ...(env === undefined ? {} : { env }) }));
    },
    ensureRunner: async ({ name, bundle, ...options }, signal) => {
      await using machine = await machines.connect(name, signal);
      const { port, token } = await machine.ensureRunner(bundle, options);
      return { port, token };
    },
    recordedRunner: async ({ name }, signal) => {
      await using machine = await machines.connect(name, signal);
      const access = await machine.recordedRunner();
      return access === undefined ? {} : { access: { port: access.port, token: access.token } };
    },
  };
}
