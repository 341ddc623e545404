// Supervises one process of the stack: restarts it with growing pauses when it ends by itself.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { HomePaths } from '../../config/home.ts';
import type { ProcessIdentity, StackChild } from '../../contract/stack.ts';
import { openLog } from '../logs.ts';
import { endProcess, identityOf } from '../process.ts';

/** The first restart is fast enough to go unnoticed. A program that cannot run is retried every half minute. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 30_000;

/**
 * After a process has run this long, the pauses begin again with the first one. A start takes one to three seconds.
 * Agents must not wait half a minute for a worker that is killed now and then.
 */
const STEADY_MS = 5_000;

export interface ChildSpec {
  readonly name: StackChild;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Descriptors of listening sockets, open while the process is supervised. Each start inherits them, as 3 and up. */
  readonly sockets?: readonly number[];
  /** Time for a stop before the process is killed, in milliseconds. */
  readonly graceMs: number;
}

export interface SupervisedChild {
  readonly name: StackChild;
  /** How often it has ended by itself since it last ran for `STEADY_MS`. */
  readonly failures: number;
  /** Ends the process for good. Resolves when it is gone. */
  stop(): Promise<void>;
}

export interface ChildEvents {
  readonly onStart: (name: StackChild, identity: ProcessIdentity) => Promise<void>;
  readonly onExit: (name: StackChild, how: string, pauseMs: number) => void;
}

/** Starts the process and restarts it until `stop`. Resolves once it was first started. */
export async function superviseChild(home: HomePaths, spec: ChildSpec, events: ChildEvents): Promise<SupervisedChild> {
  let stopping = false;
  let failures = 0;
  let restart: NodeJS.Timeout | undefined;
  let restarting: Promise<void> | undefined;
  let current: ProcessIdentity | undefined;

  const start = async (): Promise<void> => {
    const startedAt = performance.now();
    const child = await startProcess(home, spec);
    child.once('exit', (code, signal) => {
      current = undefined;
      if (stopping) return;
      failures = performance.now() - startedAt > STEADY_MS ? 1 : failures + 1;
      again(signal === null ? `exit code ${(code ?? 0).toString()}` : signal);
    });
    current = child.pid === undefined ? undefined : await identityOf(child.pid);
    if (current !== undefined) await events.onStart(spec.name, current);
  };
  const again = (how: string): void => {
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
    events.onExit(spec.name, how, pauseMs);
    restart = setTimeout(() => {
      restarting = start().catch((error: unknown) => {
        failures += 1;
        again(error instanceof Error ? error.message : String(error));
      });
    }, pauseMs);
  };

  await start();
  return {
    name: spec.name,
    get failures() {
      return failures;
    },
    async stop() {
      stopping = true;
      clearTimeout(restart);
      // A restart that has begun has a process afterwards, or has planned another one.
      await restarting;
      clearTimeout(restart);
      if (current !== undefined) await endProcess(current, spec.graceMs);
    },
  };
}

/**
 * Starts the process in its own session: Ctrl-C in the terminal reaches only the supervisor, which stops the others in
 * order. Output goes directly to the log, so that the process does not depend on the supervisor.
 */
async function startProcess(home: HomePaths, spec: ChildSpec): Promise<ChildProcess> {
  const log = await openLog(home, spec.name);
  try {
    const child = spawn(spec.command, spec.args, {
      env: spec.env,
      cwd: home.root,
      detached: true,
      stdio: ['ignore', log.fd, log.fd, ...(spec.sockets ?? [])],
    });
    await once(child, 'spawn');
    return child;
  } finally {
    await log.close();
  }
}
