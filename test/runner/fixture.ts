// A machine in a temporary folder with its runner in this process, and repositories to work on.
import { execFile, spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { AgentEvent, SourcedEvent } from '../../contract/wire/events.ts';
import { DEFAULT_MACHINE_LIMITS } from '../../contract/wire/machine-limits.ts';
import type { IsolationSpec } from '../../contract/wire/isolation.ts';
import type { OpenRequest, RunnerConfig, TurnReply } from '../../contract/wire/runner.ts';
import { createFakeBackend } from '../../runner/backends/fake/backend.ts';
import { createPortHolder, isHeldBy } from '../../runner/isolation/listening-sockets.ts';
import type { Machine } from '../../drivers/machines/provider.ts';
import { createRunnerClient } from '../../drivers/machines/runner-client.ts';
import type { RunnerClient } from '../../drivers/machines/runner-client.ts';
import type { Isolation } from '../../runner/isolation/port.ts';
import { machinePaths } from '../../runner/machine-paths.ts';
import type { MachinePaths } from '../../runner/machine-paths.ts';
import { serveRunner } from '../../runner/serve.ts';
import type { ServedRunner } from '../../runner/serve.ts';

/** The processes that are ended with a machine are found by its name: another test process must not have the same one. */
export const MACHINE = `murmur-${randomBytes(4).toString('hex')}`;

/** An environment in which git ignores the host's configuration. */
export function callerEnv(home: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: home,
    USER: 'caller',
    GIT_CONFIG_NOSYSTEM: '1',
    ...more,
  };
}

/** A new folder, which `cleanUp` removes. */
export function makeFolder(): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'murmur-runner-')));
  folders.push(folder);
  return folder;
}

const folders: string[] = [];
const ends: (() => Promise<void>)[] = [];

/** Ends everything that a test started; for `afterEach`. */
export async function cleanUp(): Promise<void> {
  for (const end of ends.splice(0).reverse()) await end();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Registers a function for `cleanUp`, which calls the newest first. */
export function atEnd(end: () => Promise<void>): void {
  ends.push(end);
}

/** Starts each process in its own group and ends it by group: enough isolation to test the runner's logic. */
export function groupContainment(): Isolation {
  const started = new Map<ChildProcessWithoutNullStreams, Date>();
  const endWhere = (isMeant: (child: ChildProcessWithoutNullStreams, at: Date) => boolean): void => {
    for (const [child, at] of started) {
      if (child.pid === undefined || !isMeant(child, at)) continue;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        started.delete(child);
      }
    }
  };
  return {
    isolation: 'process groups',
    user: undefined,
    spawn: (command, args, { cwd, env }) => {
      const child = spawn(command, args, { cwd, env, stdio: 'pipe', detached: true });
      started.set(child, new Date());
      return child;
    },
    endStartedSince: async (since, keep) => endWhere(({ pid }, at) => at >= since && !keep.includes(pid ?? 0)),
    isWhole: false,
    endStarted: async () => endWhere(() => true),
    endAll: async () => endWhere(() => true),
    // Sockets of this process count as the agent's.
    portHolder: createPortHolder((listener) => isHeldBy([process.pid], listener)),
  };
}

export interface TestRunner {
  readonly paths: MachinePaths;
  readonly client: RunnerClient;
  readonly served: ServedRunner;
}

export interface TestRunnerOptions {
  /** The machine's folder; a new one when absent. */
  readonly folder?: string;
  readonly machine?: string;
  readonly env?: Record<string, string>;
  readonly containment?: Isolation;
  /** Disk limit of the agent in MiB. */
  readonly diskMb?: number;
  /** Interval of checks of the limit in milliseconds; continuously when absent. */
  readonly diskLookMs?: number;
  /** Receives the prompts of the fake model. */
  readonly onAsk?: (prompt: string) => void;
}

/** Starts a runner with the fake backend in this process. */
export async function startRunner(options: TestRunnerOptions = {}): Promise<TestRunner> {
  const folder = options.folder ?? makeFolder();
  const paths = machinePaths(path.join(folder, 'runner'));
  mkdirSync(paths.runner, { recursive: true });
  const config: RunnerConfig = {
    machine: options.machine ?? MACHINE,
    isolation: isolationOf(options, paths),
  };
  writeFileSync(paths.config, JSON.stringify(config), { mode: 0o600 });
  const callerHome = path.join(folder, 'caller');
  mkdirSync(callerHome, { recursive: true });
  const backend = createFakeBackend({ onRequest: ({ messages }) => options.onAsk?.(messages.at(-1)?.text ?? '') });
  const served = await serveRunner(paths.runner, {
    backends: { fake: () => backend, claude: () => backend },
    callerEnv: options.env ?? callerEnv(callerHome),
    node: process.execPath,
    build: 'build of the test',
    diskLookMs: options.diskLookMs ?? 20,
    openIsolation: async () => options.containment ?? groupContainment(),
  });
  ends.push(() => served.stop());
  return { paths, served, client: clientOf(served) };
}

function isolationOf(
  { machine = MACHINE, diskMb }: TestRunnerOptions,
  { home, work, run, runner }: MachinePaths,
): IsolationSpec {
  return {
    kind: 'tracking',
    machine,
    paths: { home, work, run, isolation: path.join(path.dirname(runner), 'isolation') },
    hide: [],
    keep: [],
    ...(diskMb === undefined ? {} : { limits: { ...DEFAULT_MACHINE_LIMITS, disk_mb: diskMb } }),
  };
}

/** A client of a runner of this host. */
export function clientOf({
  port,
  token = '',
}: {
  readonly port: number;
  readonly token?: string | undefined;
}): RunnerClient {
  const machine: Pick<Machine, 'name' | 'dial'> = {
    name: MACHINE,
    dial: async (target) => {
      const socket = connect(target, '127.0.0.1');
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      socket.once('connect', resolve);
      socket.once('error', reject);
      await promise;
      return socket;
    },
  };
  return createRunnerClient(machine, { port, token });
}

/** A request to open a session on these repositories. */
export function openRequest(more: Partial<OpenRequest> = {}): OpenRequest {
  return { repos: [], session_id: randomUUID(), backend: 'fake', env: {}, secret_names: [], ...more };
}

/** A prompt that makes the fake backend play these steps. */
export function script(...steps: readonly object[]): string {
  return `Do this: [[ ${JSON.stringify(steps).slice(1, -1)} ]]`;
}

/** A step that runs a command and one that ends the turn. */
export function bash(command: string): string {
  return script({ tool: 'Bash', input: { command } }, { text: 'done' });
}

/** Starts a turn and waits for its end. */
export async function runTurn(
  { client }: Pick<TestRunner, 'client'>,
  turnId: string,
  prompt: string,
): Promise<Required<TurnReply>> {
  const request = { turn_id: turnId, number: 1, prompt, inputs: [] };
  const first = await client.turn(request);
  if (first.state === 'running') {
    await eventOf(client, (event) => event.type === 'turn_complete' && event.turn_id === turnId);
  }
  return (await client.turn(request)) as Required<TurnReply>;
}

/** The first matching event of the journal. */
export async function eventOf(client: RunnerClient, fits: (event: AgentEvent) => boolean): Promise<SourcedEvent> {
  // Long enough for a host under load; a test that hangs must still say where.
  const timeout = AbortSignal.timeout(60_000);
  const found = new AbortController();
  try {
    for await (const batch of client.events(0, AbortSignal.any([timeout, found.signal]))) {
      const hit = batch.find(({ event }) => fits(event));
      if (hit !== undefined) return hit;
    }
    throw new Error('the event did not come');
  } finally {
    found.abort();
  }
}

/** All events of the journal up to a number. */
export async function eventsUpTo(client: RunnerClient, seq: number): Promise<readonly SourcedEvent[]> {
  const events: SourcedEvent[] = [];
  const enough = new AbortController();
  const signal = AbortSignal.any([enough.signal, AbortSignal.timeout(60_000)]);
  for await (const batch of client.events(0, signal)) {
    events.push(...batch);
    if ((events.at(-1)?.seq ?? 0) >= seq) enough.abort();
  }
  return events;
}

/** Whether a process is running. A zombie is not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = process.platform === 'linux' ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
    return !/\) Z /.test(stat);
  } catch {
    return false;
  }
}

/** Waits for a condition. Throws after a time that is long enough for a loaded host. */
export async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !holds(); await delay(5)) {
    if (Date.now() > end) throw new Error(`it did not happen: ${holds.toString()}`);
  }
}

/** Runs git for set-up and checks, without the host's configuration. */
export async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    HOME: cwd,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'Origin',
    GIT_AUTHOR_EMAIL: 'origin@example.com',
    GIT_COMMITTER_NAME: 'Origin',
    GIT_COMMITTER_EMAIL: 'origin@example.com',
  };
  const { stdout } = await promisify(execFile)('git', [...args], { cwd, env, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trimEnd();
}

/** A bare repository with one commit on `main`. */
export async function makeOrigin(folder: string, name = 'project.git'): Promise<string> {
  const origin = path.join(folder, name);
  const seed = path.join(folder, `seed-${randomUUID()}`);
  mkdirSync(seed, { recursive: true });
  await git(seed, 'init', '--quiet', '--initial-branch=main');
  writeFileSync(path.join(seed, 'README.md'), '# project\n');
  writeFileSync(path.join(seed, '.gitignore'), 'ignored/\n');
  await git(seed, 'add', '-A');
  await git(seed, 'commit', '--quiet', '-m', 'first');
  await git(folder, 'clone', '--quiet', '--bare', seed, origin);
  rmSync(seed, { recursive: true });
  return origin;
}
