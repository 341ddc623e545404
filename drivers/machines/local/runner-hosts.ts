// The processes that serve the runners of this host's machines, several runners each. They are started on demand and
// exit after the last of their machines. The newest one stays for a minute longer, and serves the next machine.
import { randomUUID } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import writeFileAtomic from 'write-file-atomic';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { HostedRunner, RunnerHostAccess, RunnerHostRecord } from '../../../contract/wire/runner.ts';
import { HOST_FLAG, RUNNER_NODE_FLAGS } from '../../../runner/identity/flags.ts';
import { isMissing } from './record.ts';
import { callHost, machineNameOf } from './runner-host-call.ts';
import { dropRunner } from './runner-host-end.ts';

/**
 * Machines per process. More would save little memory, less than a sixteenth of a Node process each. And all of them
 * lose their turn when the process is killed.
 */
const RUNNERS_PER_HOST = 16;
/** It answers within 0.1 s; a loaded host may need many times that. */
const START_LIMIT_MS = 20_000;
/** The longest part is reading the files of a killed runner. */
const SERVE_LIMIT_MS = 20_000;

interface Host {
  readonly bundle: string;
  readonly access: Promise<RunnerHostAccess>;
  /** Folders of the runners that it was asked to serve and that have not left. */
  readonly runners: Set<string>;
  /** Its standard input; undefined until it runs. While it is open, the process stays without runners. */
  input?: Socket;
  /** Requests that it has not answered. */
  asked: number;
  isReleased: boolean;
}

export interface RunnerHostsOptions {
  /** The folder of all machines; the processes' command lines end with it. */
  readonly machines: string;
  /** Environment of the processes. `serve` brings that of each runner. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export class RunnerHosts {
  readonly #options: RunnerHostsOptions;
  #newest: Host | undefined;

  constructor(options: RunnerHostsOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the runner serves. Throws UNAVAILABLE when no process starts or answers, and the runner's error when
   * it refuses.
   */
  async serve(bundle: string, runner: HostedRunner): Promise<void> {
    const host = this.#seat(bundle, runner.directory);
    try {
      await this.#ask(host, runner);
    } catch (error) {
      // The process has just exited with the last of its machines, or was killed; another may have taken its port.
      // Starts another one.
      if (!(error instanceof MurmurError) || !['UNAVAILABLE', 'UNAUTHENTICATED'].includes(error.code)) throw error;
      this.#replace(host, undefined);
      await this.#ask(this.#seat(bundle, runner.directory), runner);
    }
  }

  async #ask(host: Host, runner: HostedRunner): Promise<void> {
    host.asked += 1;
    try {
      await ask(await host.access, runner);
    } finally {
      host.asked -= 1;
      letGo(host);
    }
  }

  /** To be called when the runner of this folder has ended: another one can have its place. */
  left(directory: string): void {
    this.#newest?.runners.delete(directory);
  }

  /** Lets every process exit after the last of its machines. */
  close(): void {
    this.#replace(this.#newest, undefined);
  }

  #seat(bundle: string, directory: string): Host {
    const newest = this.#newest;
    if (newest?.bundle === bundle && (newest.runners.has(directory) || newest.runners.size < RUNNERS_PER_HOST)) {
      newest.runners.add(directory);
      return newest;
    }
    const { promise: access, resolve } = Promise.withResolvers<RunnerHostAccess>();
    const host: Host = { bundle, access, runners: new Set([directory]), asked: 0, isReleased: false };
    resolve(this.#start(host));
    access.catch(() => this.#replace(host, undefined));
    this.#replace(newest, host);
    return host;
  }

  /** No-op when another process is the newest one. */
  #replace(host: Host | undefined, next: Host | undefined): void {
    if (this.#newest === host) this.#newest = next;
    if (host === undefined) return;
    host.isReleased = true;
    letGo(host);
  }

  async #start(host: Host): Promise<RunnerHostAccess> {
    const { env, machines } = this.#options;
    await mkdir(machines, { recursive: true, mode: 0o700 });
    const log = await open(join(machines, '.runners.log'), 'a', 0o600);
    try {
      const child = spawn(process.execPath, [...RUNNER_NODE_FLAGS, host.bundle, HOST_FLAG, machines], {
        cwd: machines,
        env: { ...env },
        detached: true,
        stdio: ['pipe', 'pipe', log.fd],
      });
      await once(child, 'spawn');
      host.input = child.stdin as Socket;
      host.input.on('error', () => undefined);
      host.input.unref();
      return await firstLine(child);
    } catch (error) {
      throw new MurmurError('UNAVAILABLE', `the process for runners does not start: ${String(error)}`, {
        cause: error,
      });
    } finally {
      await log.close();
    }
  }
}

/** Lets a released process exit after the last of its machines, once it has answered: it may not have its first one yet. */
function letGo({ asked, input, isReleased }: Host): void {
  if (isReleased && asked === 0) input?.destroy();
}

async function ask(access: RunnerHostAccess, runner: HostedRunner): Promise<void> {
  const { directory } = runner;
  // A frozen process would hold the machine's lock, so that no other process could take the machine.
  await dropRunner(directory);
  const record: RunnerHostRecord = { ...access, request_id: randomUUID() };
  // Written before the call: from now on, ending the machine has to involve this process.
  await writeFileAtomic(join(directory, 'host.json'), JSON.stringify(record), { mode: 0o600 }).catch((error) => {
    if (!isMissing(error)) throw error;
    throw new MurmurError('NOT_FOUND', `machine ${machineNameOf(directory)} does not exist`, { cause: error });
  });
  try {
    await callHost(access, '/serve', { ...runner, request_id: record.request_id }, SERVE_LIMIT_MS);
  } catch (error) {
    // An unknown process has the machine. It may release it, so the caller may retry.
    if (!(error instanceof MurmurError) || error.code !== 'ALREADY_EXISTS') throw error;
    throw new MurmurError('UNAVAILABLE', error.message, { cause: error });
  }
}

async function firstLine(child: ChildProcess): Promise<RunnerHostAccess> {
  const output = child.stdout as Readable;
  const late = AbortSignal.timeout(START_LIMIT_MS);
  try {
    const lines = createInterface({ input: output });
    const [line] = (await Promise.race([
      once(lines, 'line', { signal: late }),
      once(child, 'exit', { signal: late }).then(() => []),
    ])) as readonly string[];
    lines.close();
    if (line === undefined) throw new Error(`it ended with ${String(child.exitCode ?? child.signalCode)}`);
    return JSON.parse(line) as RunnerHostAccess;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    output.destroy();
    child.unref();
  }
}
