// A connection to a local machine: its host is ours, so a connection is only a name for its folders.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import writeFileAtomic from 'write-file-atomic';
import { MurmurError } from '../../../contract/wire/errors.ts';
import { openFile, writeFileFrom } from '../../objects/file-stream.ts';
import type { IsolationSettings, Machine } from '../provider.ts';
import type { LocalLayout } from './layout.ts';
import { isMissing } from './record.ts';
import { isEarlyRunner } from '../../../runner/identity/processes.ts';

export interface LocalMachineOptions {
  readonly name: string;
  readonly layout: LocalLayout;
  readonly isolation: string;
  readonly isolationSettings: IsolationSettings;
  /** Environment of the caller, for the runner and commands: its git configuration, ssh agent and PATH. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The connection; nothing is opened, so there is nothing to close. */
export function connectLocal(options: LocalMachineOptions): Machine {
  const { name, layout, isolation, isolationSettings, env } = options;
  return {
    name,
    isolation,
    isolationSettings,
    node: process.execPath,
    paths: { home: layout.home, work: layout.work, runner: layout.runner },
    exec: async (command, args, { cwd = layout.work, env: added = {}, input, timeoutMs }) => {
      const running = execa(command, [...args], {
        cwd,
        env: { ...env, ...added },
        extendEnv: false,
        ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
        // The leader of a group, so that what it starts can be ended with it.
        detached: true,
        reject: false,
        stripFinalNewline: false,
      });
      const late = new AbortController();
      const result = await Promise.race([running, delay(timeoutMs, undefined, { signal: late.signal })]);
      late.abort();
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
    launch: async (command, args, { log }) => {
      await mkdir(dirname(log), { recursive: true, mode: 0o700 });
      const output = await open(log, 'a', 0o600);
      try {
        const child = spawn(command, [...args], {
          cwd: layout.runner,
          env: { ...env },
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
    isEarlyRunner: (address) => isEarlyRunner(layout.runner, address),
    put: async (path, content, mode = 0o600) => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFileAtomic(path, content, { mode });
    },
    get: (path) => found(name, path, () => readFile(path)),
    putStream: async (path, source) => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFileFrom(path, source, () => undefined);
    },
    getStream: (path) => found(name, path, async () => (await openFile(path)).content),
    dial: (port) => dialLoopback(name, port),
    // The machine's network is the host's.
    expose: (server) => Promise.resolve(server),
  };
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
    // It has ended by itself.
  }
}
