// A connection to a local machine. The machine is on this host, so the connection opens nothing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import writeFileAtomic from 'write-file-atomic';
import { MurmurError } from '../../../contract/wire/errors.ts';
import { openFile, writeFileFrom } from '../../objects/file-stream.ts';
import type { NamedLease } from '../lost-signals.ts';
import { piecesUnlessLost, tied, unlessLost } from '../lost.ts';
import type { Machine } from '../provider.ts';
import { factsOfHost } from './facts.ts';
import type { LocalLayout } from './layout.ts';
import { isMissing } from './record.ts';

export interface LocalMachineOptions {
  readonly name: string;
  readonly layout: LocalLayout;
  /** Lost when the machine is stopped or destroyed, or its provider is disposed. */
  readonly lease: NamedLease;
  /** The caller's environment, for the runner and for commands: git configuration, ssh agent, PATH. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The connection without the calls about the runner. It holds nothing open. */
export function connectLocal(options: LocalMachineOptions): Omit<Machine, 'ensureRunner' | 'recordedRunner'> {
  const { name, layout, lease, env } = options;
  const { lost } = lease;
  return {
    name,
    lost,
    paths: { home: layout.home, work: layout.work, runner: layout.runner },
    facts: () => unlessLost(lost, factsOfHost(env)),
    exec: async (command, args, { cwd = layout.work, env: added = {}, input, timeoutMs }) => {
      lost.throwIfAborted();
      const running = execa(command, [...args], {
        cwd,
        env: { ...env, ...added },
        extendEnv: false,
        ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
        // Makes the command the leader of a process group, so that its children can be ended with it.
        detached: true,
        reject: false,
        stripFinalNewline: false,
      });
      const late = new AbortController();
      const ended = Promise.race([running, delay(timeoutMs, undefined, { signal: late.signal })]);
      const result = await unlessLost(lost, ended)
        .catch((error: unknown) => {
          endGroup(running.pid);
          throw error;
        })
        // The timer would keep the process alive for as long as the command might have taken.
        .finally(() => late.abort());
      if (result === undefined) {
        endGroup(running.pid);
        throw new MurmurError(
          'DEADLINE_EXCEEDED',
          `${command} took more than ${String(timeoutMs)} ms on machine ${name}`,
        );
      }
      if (result.exitCode === undefined) {
        throw new MurmurError(
          'FAILED_PRECONDITION',
          `${command} did not run on machine ${name}: ${result.shortMessage}`,
        );
      }
      return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
    },
    launch: async (command, args, { log, env: added = {} }) => {
      lost.throwIfAborted();
      await mkdir(dirname(log), { recursive: true, mode: 0o700 });
      const output = await open(log, 'a', 0o600);
      try {
        const child = spawn(command, [...args], {
          cwd: layout.runner,
          env: { ...env, ...added },
          detached: true,
          stdio: ['ignore', output.fd, output.fd],
        });
        await once(child, 'spawn');
        child.unref();
      } catch (error) {
        throw new MurmurError('FAILED_PRECONDITION', `${command} does not start: ${String(error)}`, { cause: error });
      } finally {
        await output.close();
      }
    },
    put: async (path, content, mode = 0o600) => {
      lost.throwIfAborted();
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFileAtomic(path, content, { mode });
    },
    get: async (path) => {
      lost.throwIfAborted();
      return await unlessLost(
        lost,
        found(name, path, () => readFile(path)),
      );
    },
    write: async (path, source) => {
      lost.throwIfAborted();
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFileFrom(path, piecesUnlessLost(lost, source), () => undefined);
    },
    read: (path) => tied(lost, Readable.from(contentOf(name, path), { objectMode: false })),
    dial: async (port) => {
      lost.throwIfAborted();
      return tied(lost, await dialLoopback(name, port));
    },
    // The machine's network is the host's.
    expose: (server) => Promise.resolve(server),
    [Symbol.asyncDispose]: async () => lease.release(),
  };
}

async function* contentOf(name: string, path: string): AsyncGenerator<Buffer> {
  const { content } = await found(name, path, () => openFile(path));
  try {
    yield* content as AsyncIterable<Buffer>;
  } finally {
    content.destroy();
  }
}

async function found<T>(name: string, path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (isMissing(error)) throw new MurmurError('NOT_FOUND', `machine ${name} has no file ${path}`, { cause: error });
    throw error;
  }
}

/** Connects to a port of this host, for the machine of that name. Throws UNAVAILABLE when nothing listens. */
export async function dialLoopback(name: string, port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    throw new MurmurError('UNAVAILABLE', `nothing listens on port ${String(port)} of machine ${name}`, {
      cause: error,
    });
  }
}

function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It has already ended.
  }
}
