// `murmur up`: ensures that the embedded stack runs, in the background or in this process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { makeHome, requireSpace, userCacheFolder } from '../config/home.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import type { StackRecord } from '../contract/stack.ts';
import { openLog, tailOf } from './logs.ts';
import type { WantedPorts } from './ports.ts';
import { entryOf, programEnvironment, requirePrograms } from './programs.ts';
import { PACKAGE_ROOT } from '../config/package.ts';
import { isRunning } from './process.ts';
import { readRecord, removeRecord, runningRecord } from './record.ts';
import type { StackSettings } from './supervisor/settings.ts';
import { supervise } from './supervisor/supervise.ts';
import { findTemporal } from './temporal/find.ts';
import { ensureToken } from './token.ts';
import { findNetworkIsolation } from './network/isolation.ts';

/** Interval of reads of stack.json during the start. */
const POLL_MS = 50;

/** Longer than all time limits of the supervisor, which reports its failures earlier. */
const START_MS = 5 * 60_000;

export interface UpOptions {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  /** Ports from the command line. */
  readonly ports?: Partial<WantedPorts>;
  readonly onProgress: (message: string) => void;
  /** Ctrl-C aborts it. */
  readonly signal: AbortSignal;
  readonly entries?: StackSettings['entries'];
}

export interface UpResult {
  readonly already_running: boolean;
  readonly record: StackRecord;
}

/**
 * Starts the stack in the background and resolves when it is ready. Resolves with a running stack if there is one.
 * Throws FAILED_PRECONDITION (an agent's `murmur`, home not writable or full, port taken, no Temporal) and UNAVAILABLE
 * (a process does not start).
 */
export async function up(options: UpOptions): Promise<UpResult> {
  requirePrograms();
  const { home } = options.config;
  makeHome(home);
  const running = await runningRecord(home);
  if (running !== undefined) return { already_running: true, record: await untilReady(options) };
  requireSpace(home);
  await ensureToken(home, options.config.account);
  const settings = await settingsOf(options);
  const pid = await startSupervisor(settings, options.env);
  const record = await untilReady(options, pid);
  return { already_running: record.supervisor.pid !== pid, record };
}

/** Runs the stack in this process until `signal` aborts. Calls `onReady` once it is ready. */
export async function upInForeground(options: UpOptions, onReady: (record: StackRecord) => void): Promise<void> {
  requirePrograms();
  makeHome(options.config.home);
  requireSpace(options.config.home);
  await ensureToken(options.config.home, options.config.account);
  const settings = await settingsOf(options);
  const { env, onProgress, signal } = options;
  await supervise(settings, { env, stop: signal, onProgress, onReady });
}

async function settingsOf(options: UpOptions): Promise<StackSettings> {
  const { config, env, onProgress, signal, version } = options;
  const { home } = config;
  const ports = { ...config.ports, ...options.ports };
  const entries = options.entries === undefined ? {} : { entries: options.entries };
  const common = { home, version, ports, ...entries };
  const { address, external, namespace, open } = config.temporal;
  if (external && address !== undefined) {
    return { ...common, temporal: { address, namespace, ...(open === undefined ? {} : { open }) } };
  }
  const cacheDirs = [userCacheFolder(env), home.cache];
  const [temporal, network] = await Promise.all([
    findTemporal({ env, cacheDirs, packageRoot: PACKAGE_ROOT, onProgress, signal }),
    findNetworkIsolation(config.isolation),
  ]);
  return { ...common, temporal: { binary: temporal.path, network } };
}

async function startSupervisor(settings: StackSettings, env: NodeJS.ProcessEnv): Promise<number> {
  const log = await openLog(settings.home, 'supervisor');
  try {
    const child = spawn(process.execPath, [entryOf('supervisor'), JSON.stringify(settings)], {
      env: programEnvironment(env),
      cwd: settings.home.root,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await once(child, 'spawn');
    child.unref();
    return child.pid ?? 0;
  } finally {
    await log.close();
  }
}

/**
 * Follows stack.json until the stack is ready, and reports each new message. `started` is the supervisor that was just
 * started. It may fail, or end because another one runs, which is then followed.
 */
async function untilReady(options: UpOptions, started?: number): Promise<StackRecord> {
  const { home } = options.config;
  const deadline = performance.now() + START_MS;
  let shown = '';
  while (performance.now() < deadline) {
    options.signal.throwIfAborted();
    const record = await readRecord(home);
    if (record?.state === 'failed' && (started === undefined || record.supervisor.pid === started)) {
      await removeRecord(home);
      throw failureOf(record);
    }
    // Checks the supervisor too: the record of a killed one says `ready` until the next one has written its own.
    if (record?.state === 'ready' && (await isRunning(record.supervisor))) return record;
    if (started !== undefined && !processExists(started) && (await runningRecord(home)) === undefined) {
      const last = await readRecord(home);
      if (last?.state !== 'failed') throw await diedSilently(options);
    }
    // The record of a killed supervisor still says `ready`.
    if (record !== undefined && record.message !== shown && (await isRunning(record.supervisor))) {
      shown = record.message;
      options.onProgress(shown);
    }
    await delay(POLL_MS);
  }
  throw new MurmurError('DEADLINE_EXCEEDED', `the stack is not ready after ${(START_MS / 60_000).toString()} minutes`, {
    hint: `read the logs in ${home.logs.folder}`,
  });
}

function failureOf(record: StackRecord): MurmurError {
  if (record.error !== undefined) return MurmurError.fromBody(record.error);
  return new MurmurError('UNAVAILABLE', record.message);
}

async function diedSilently(options: UpOptions): Promise<MurmurError> {
  const { home } = options.config;
  const tail = await tailOf(home, 'supervisor');
  return new MurmurError(
    'UNAVAILABLE',
    `the supervisor ended before the stack was ready; its last log lines:\n${tail}`,
    {
      hint: `read ${home.logs.supervisor}`,
    },
  );
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
