// A runner as the bundled process of machines, in the isolation that works on this host.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { userCacheFolder } from '../../config/home.ts';
import { PACKAGE_ROOT } from '../../config/package.ts';
import type { RunnerAddress, RunnerConfig } from '../../contract/wire/runner.ts';
import { detectIsolation } from '../../runner/isolation/detect.ts';
import { createIsolation } from '../../runner/isolation/isolation.ts';
import { resolveIsolation } from '../../runner/isolation/resolve.ts';
import type { Isolation } from '../../runner/isolation/port.ts';
import type { IsolationKind, IsolationSpec } from '../../contract/wire/isolation.ts';
import type { RunnerClient } from '../../drivers/machines/runner-client.ts';
import { machinePaths } from '../../runner/machine-paths.ts';
import type { MachinePaths } from '../../runner/machine-paths.ts';
import { readState } from '../../runner/state-file.ts';
import { runnerBundle } from '../../worker/runner-bundle.ts';
import { atEnd, callerEnv, clientOf, makeFolder } from './fixture.ts';

/** Long enough for a loaded host. A runner that never starts must still fail the test. */
const START_LIMIT_MS = 30_000;

export interface RunnerProcess {
  readonly child: ChildProcess;
  readonly client: RunnerClient;
  readonly paths: MachinePaths;
  readonly isolation: Isolation;
  /** Milliseconds from the start of the process to the answer of `/health`. */
  readonly startMs: number;
  readonly log: () => string;
}

export interface ProcessOptions {
  /** The machine's folder, for a second runner on it. */
  readonly folder?: string;
  readonly env?: Record<string, string>;
  readonly kind?: 'auto' | IsolationKind;
}

/** Starts a runner process on a new machine, or on the one in `folder`. */
export async function startProcess(options: ProcessOptions = {}): Promise<RunnerProcess> {
  const folder = options.folder ?? makeFolder();
  const paths = machinePaths(path.join(folder, 'machines', 'murmur-00000001', 'runner'));
  const isolation = await prepareMachine(folder, paths, options.kind ?? 'auto');
  const bundle = path.join(paths.runner, 'runner.cjs');
  if (!existsSync(bundle)) copyFileSync(await runnerBundle(userCacheFolder(process.env)), bundle);
  const caller = path.join(folder, 'caller');
  mkdirSync(caller, { recursive: true });
  const logFile = path.join(paths.runner, 'runner.log');
  const log = openSync(logFile, 'a');
  const began = performance.now();
  const child = spawn(process.execPath, [bundle, paths.runner], {
    env: options.env ?? callerEnv(caller),
    stdio: ['ignore', log, log],
    detached: true,
  });
  atEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await isolation.endAll();
  });
  const address = await addressOf(paths, child, () => readFileSync(logFile, 'utf8'));
  const client = clientOf(address);
  await client.health();
  const startMs = performance.now() - began;
  return { child, client, paths, isolation, startMs, log: () => readFileSync(logFile, 'utf8') };
}

async function addressOf(paths: MachinePaths, child: ChildProcess, log: () => string): Promise<RunnerAddress> {
  for (const end = Date.now() + START_LIMIT_MS; Date.now() < end; await delay(2)) {
    const address = readState<RunnerAddress>(paths.address);
    if (address?.pid === child.pid && address !== undefined) return address;
    if (child.exitCode !== null) break;
  }
  throw new Error(`the runner did not start: ${log()}`);
}

/** Does what a provider does: creates the folders of the agent's user and the configuration. */
async function prepareMachine(folder: string, paths: MachinePaths, kind: 'auto' | IsolationKind): Promise<Isolation> {
  const known = readState<RunnerConfig>(paths.config);
  if (known !== undefined) return createIsolation(await resolveIsolation(known.isolation, process.env));
  const detected = await detectIsolation(kind);
  const uid = detected.ownUser ? randomInt(1_700_000_000, 1_800_000_000) : undefined;
  mkdirSync(paths.runner, { recursive: true, mode: 0o700 });
  for (const each of [paths.home, paths.work, paths.run]) {
    mkdirSync(each, { recursive: true, mode: 0o700 });
    if (uid !== undefined) chownSync(each, uid, uid);
  }
  const spec: IsolationSpec = {
    kind: detected.kind,
    // A unique name, because processes are found by it, also by other tests that end theirs.
    machine: `murmur-${randomBytes(4).toString('hex')}`,
    paths: {
      home: paths.home,
      work: paths.work,
      run: paths.run,
      isolation: path.join(path.dirname(paths.runner), 'isolation'),
    },
    ...(uid === undefined ? {} : { uid }),
    hide: [folder],
    keep: [process.execPath, PACKAGE_ROOT],
  };
  const config: RunnerConfig = { machine: spec.machine, isolation: spec };
  writeFileSync(paths.config, JSON.stringify(config), { mode: 0o600 });
  return createIsolation(spec);
}

/** Resident memory of a process in bytes; undefined where the system does not report it. */
export function residentBytes(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return line === null ? undefined : Number(line[1]) * 1024;
}
