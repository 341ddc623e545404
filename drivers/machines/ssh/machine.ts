// A connection to a machine on a host that is reached by ssh.
import { Readable } from 'node:stream';
import type { GitBrokers } from '../git-brokers.ts';
import { tied, unlessLost } from '../lost.ts';
import type { NamedLease } from '../lost-signals.ts';
import type { Machine } from '../provider.ts';
import type { HostMachine } from './host-call.ts';
import type { HostSession } from './session.ts';
import { deliverFile } from './host-shipment.ts';
import type { SshHost } from './ssh-host.ts';

export interface SshMachineOptions {
  readonly name: string;
  readonly host: SshHost;
  readonly session: HostSession;
  readonly machine: HostMachine;
  readonly git: GitBrokers;
  /** Lost when the machine is stopped. */
  readonly lease: NamedLease;
}

/** A lease of the host's connection. */
export function connectSsh({ name, host, session, machine, git, lease }: SshMachineOptions): Machine {
  const { commands, files, connection, program, shipped } = session;
  const { paths, bin, path } = machine;
  const lost = AbortSignal.any([lease.lost, connection.lost]);
  const release = host.hold();
  let facts: ReturnType<Machine['facts']> | undefined;
  return {
    name,
    lost,
    paths,
    facts: () => (facts ??= unlessLost(lost, program.call('facts', { name }))),
    exec: async (command, args, { cwd = paths.work, env = {}, input, timeoutMs }) => {
      const asked = { command, args, cwd, env: { PATH: `${bin}:${path}`, ...env } };
      return await unlessLost(lost, commands.run(asked, { timeoutMs, ...(input === undefined ? {} : { input }) }));
    },
    launch: async (command, words, options) => {
      await unlessLost(lost, program.call('launch', { name, command, words, ...options }));
    },
    put: (file, content, mode) => unlessLost(lost, files.put(file, content, mode)),
    get: (file) => unlessLost(lost, files.get(file)),
    write: (file, source) => unlessLost(lost, files.write(file, source)),
    read: (file) =>
      tied(
        lost,
        Readable.from(
          pieces(() => files.read(file)),
          { objectMode: false },
        ),
      ),
    dial: async (port) => tied(lost, await unlessLost(lost, connection.dial(port))),
    expose: (server) => unlessLost(lost, host.expose(session, server)),
    serveGit: async (wanted) => {
      const { server, access } = await unlessLost(lost, git.serve(name, wanted));
      return { ...access, server: await unlessLost(lost, host.expose(session, server, 'git')) };
    },
    ensureRunner: async (bundle, options) => {
      const there = await unlessLost(lost, deliverFile(files, shipped, bundle));
      return await unlessLost(lost, program.call('ensureRunner', { name, bundle: there, ...options }));
    },
    recordedRunner: async () => (await unlessLost(lost, program.call('recordedRunner', { name }))).access,
    [Symbol.asyncDispose]: () => {
      release();
      lease.release();
      return Promise.resolve();
    },
  };
}

/** The pieces of a stream. Opens it when the first piece is read. */
async function* pieces(open: () => Promise<Readable>): AsyncGenerator<Buffer> {
  yield* (await open()) as AsyncIterable<Buffer>;
}
