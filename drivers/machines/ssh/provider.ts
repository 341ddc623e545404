// Machines on hosts that are reached by ssh. Our program on the host creates them with the provider `local`: each is a
// folder with its own user or user namespace.
import { createHash } from 'node:crypto';
import { MurmurError } from '../../../contract/wire/errors.ts';
import { isMachineName } from '../local/layout.ts';
import type { GitBrokers } from '../git-brokers.ts';
import { connectionLost, unlessLost } from '../lost.ts';
import { LostSignals } from '../lost-signals.ts';
import type { MachineInfo, MachineLabels, MachineList, MachineProvider } from '../provider.ts';
import type { HostCallName, HostCalls } from './host-call.ts';
import { connectSsh } from './machine.ts';
import { SshHost, type SshHostOptions } from './ssh-host.ts';
import { messageOf } from './transport.ts';

/**
 * How long `list` waits for a host, because a person may wait for the answer. A host answers within a second, including
 * the time to connect. Connecting continues after this limit, so that a later call finds the connection.
 */
const LIST_LIMIT_MS = 10_000;

export interface SshProviderOptions {
  /** Serves git on the machines; closed with the provider. */
  readonly git: GitBrokers;
  readonly listLimitMs?: number;
}

/** The provider `ssh`. Connects to a host at the first call that needs it. */
export function createSshProvider(
  options: readonly SshHostOptions[],
  { git, listLimitMs = LIST_LIMIT_MS }: SshProviderOptions,
): MachineProvider {
  const hosts = options.map((each) => new SshHost(each));
  const connections = new LostSignals();
  /** The host on which each machine was last found. */
  const places = new Map<string, SshHost>();

  async function call<Name extends HostCallName>(
    host: SshHost,
    name: Name,
    args: HostCalls[Name]['args'],
    signal?: AbortSignal,
  ): Promise<HostCalls[Name]['answer']> {
    const { program } = await host.session(signal);
    return await program.call(name, args, signal);
  }

  const infoOn = (host: SshHost, info: MachineInfo): MachineInfo => ({ ...info, zone: host.name });

  /** The machine's host and info; undefined when every host reports the machine as absent. */
  async function find(
    name: string,
    signal?: AbortSignal,
  ): Promise<{ readonly host: SshHost; readonly info: MachineInfo } | undefined> {
    if (!isMachineName(name)) {
      throw new MurmurError('INVALID_ARGUMENT', `machine name ${JSON.stringify(name)} is not valid`);
    }
    const last = places.get(name);
    let problem: Error | undefined;
    for (const host of new Set([...(last === undefined ? [] : [last]), ...inOrder(hosts, name)])) {
      try {
        const info = await call(host, 'describe', { name }, signal);
        if (info.state === 'absent') continue;
        places.set(name, host);
        return { host, info };
      } catch (error) {
        signal?.throwIfAborted();
        // Another host may have the machine. If none has, this error is thrown: this host may have it.
        problem ??= error as Error;
      }
    }
    places.delete(name);
    if (problem !== undefined) throw problem;
    return undefined;
  }

  /** The machines of one host, or why it could not be asked. Rejects with the signal's reason only. */
  async function listOn(host: SshHost, labels: MachineLabels, signal?: AbortSignal): Promise<MachineList> {
    const late = AbortSignal.timeout(listLimitMs);
    const limit = AbortSignal.any([...(signal === undefined ? [] : [signal]), late]);
    try {
      const infos = await unlessLost(limit, call(host, 'list', { labels }, limit));
      return { machines: infos.map((info) => infoOn(host, info)), unreachable: [] };
    } catch (error) {
      signal?.throwIfAborted();
      const seconds = String(listLimitMs / 1_000);
      const why = late.aborted ? `host ${host.name} has not answered within ${seconds} s` : messageOf(error);
      const reason = error instanceof MurmurError ? error : new MurmurError('UNAVAILABLE', why, { cause: error });
      return { machines: [], unreachable: [{ host: host.name, reason }] };
    }
  }

  async function known(name: string, signal?: AbortSignal): Promise<SshHost> {
    const found = await find(name, signal);
    if (found === undefined) throw new MurmurError('NOT_FOUND', `machine ${name} does not exist`);
    return found.host;
  }

  /** The host for a new machine: the first reachable one in the order of `inOrder`. */
  async function placeFor(name: string, signal: AbortSignal): Promise<SshHost> {
    const found = await find(name, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      if (error instanceof MurmurError && error.code === 'INVALID_ARGUMENT') throw error;
      return undefined;
    });
    if (found !== undefined) return found.host;
    let problem: unknown;
    for (const host of inOrder(hosts, name)) {
      try {
        await host.session(signal);
        return host;
      } catch (error) {
        signal.throwIfAborted();
        problem ??= error;
      }
    }
    throw problem;
  }

  return {
    name: 'ssh',

    create: async (spec, { signal, requestId }) => {
      const host = await placeFor(spec.name, signal);
      const info = await call(host, 'create', { spec, requestId }, signal);
      places.set(spec.name, host);
      return infoOn(host, info);
    },

    describe: async (name, signal) => {
      const found = await find(name, signal);
      return found === undefined ? { name, state: 'absent', labels: {}, version: '' } : infoOn(found.host, found.info);
    },

    label: async (name, labels, { if: version, signal }) => {
      const host = await known(name, signal);
      return infoOn(host, await call(host, 'label', { name, labels, if: version }, signal));
    },

    start: async (name, signal) => {
      await call(await known(name, signal), 'startMachine', { name }, signal);
    },

    stop: async (name, signal) => {
      const found = await find(name, signal);
      if (found === undefined) return;
      connections.lose(name, connectionLost(name, 'it was stopped'));
      await call(found.host, 'stop', { name }, signal);
    },

    destroy: async (name, signal) => {
      connections.lose(name, connectionLost(name, 'it was destroyed'));
      await git.drop(name);
      const place = await find(name, signal).then(
        (found) => found?.host,
        (error: unknown) => {
          signal?.throwIfAborted();
          if (error instanceof MurmurError && error.code === 'INVALID_ARGUMENT') throw error;
          return undefined;
        },
      );
      // On all hosts: the remains of an interrupted creation are not reported as a machine.
      const ends = await Promise.allSettled(hosts.map((host) => call(host, 'destroy', { name }, signal)));
      signal?.throwIfAborted();
      const failed = ends.find((end, at) => end.status === 'rejected' && (place === undefined || place === hosts[at]));
      if (failed?.status === 'rejected') throw failed.reason;
      places.delete(name);
    },

    list: async (labels = {}, signal) => {
      const lists = await Promise.all(hosts.map((host) => listOn(host, labels, signal)));
      return {
        machines: lists.flatMap(({ machines }) => machines),
        unreachable: lists.flatMap(({ unreachable }) => unreachable),
      };
    },

    connect: async (name, signal) => {
      const host = await known(name, signal);
      const session = await host.session(signal);
      const machine = await session.program.call('connect', { name }, signal);
      return connectSsh({ name, host, session, machine, git, lease: connections.lease(name) });
    },

    [Symbol.asyncDispose]: async () => {
      connections.loseAll((name) => connectionLost(name, 'its provider was closed'));
      for (const host of hosts) host.close();
      await git[Symbol.asyncDispose]();
    },
  };
}

/**
 * The hosts in an order that depends only on the machine's name: retries use the same host first, and machines spread.
 */
function inOrder(hosts: readonly SshHost[], machine: string): readonly SshHost[] {
  const rank = (host: SshHost): string => createHash('sha256').update(`${host.name}\0${machine}`).digest('hex');
  return hosts.toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1));
}
