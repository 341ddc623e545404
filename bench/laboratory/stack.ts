// The product like for users: `murmur up` with its own MURMUR_HOME, the API through Murmur's client, the CLI as a
// process. Imports Node built-ins, @temporalio/client, config, contract/stack, client, processes, run and bounded.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { createClient, type MurmurClient } from '../../client/index.ts';
import { homePaths } from '../../config/home.ts';
import { temporalSettings } from '../../config/temporal.ts';
import type { StackRecord } from '../../contract/stack.ts';
import { until } from '../bounded.ts';
import { lives } from './processes.ts';
import { run } from './run.ts';

export interface Stack {
  /** MURMUR_HOME. */
  readonly home: string;
  /** Client of its Temporal server, like an operator's. */
  readonly temporal: Client;
  /** Environment for the CLI of this stack. */
  readonly env: NodeJS.ProcessEnv;
  /** Path of the `murmur` program. */
  readonly bin: string;
  readonly client: MurmurClient;
  /** Starts `murmur` with these arguments and piped output. */
  cli(...args: string[]): ChildProcess;
  /** Current process id of the worker; undefined while there is none. */
  workerPid(): number | undefined;
  /** Current process id of the API server; undefined while there is none. */
  serverPid(): number | undefined;
  stop(): Promise<void>;
}

export interface StackOptions {
  /** Path of the `murmur` program. */
  readonly bin: string;
  readonly directory: string;
  readonly modelUrl: string;
}

/**
 * The first `up` may bundle workflows and create a database: some tens of seconds on a busy machine. In milliseconds.
 */
const UP_MS = 120_000;
/** Limit of `down`, which ends turns, runners and servers. In milliseconds. */
const DOWN_MS = 60_000;

/** Starts the stack. Resolves when it is ready. If it fails, its processes are ended. */
export async function startStack({ bin, directory, modelUrl }: StackOptions): Promise<Stack> {
  const home = path.join(directory, 'home');
  const paths = homePaths(home);
  const env = environment(home, modelUrl);
  const record = () => readRecord(paths.stackFile);
  const closing: (() => Promise<void>)[] = [];
  const stop = async () => {
    const before = record();
    for (const step of closing.splice(0)) await step();
    await run(process.execPath, [bin, 'down'], { cwd: directory, env, timeoutMs: DOWN_MS }).catch(() => undefined);
    await killLeftovers(before);
  };
  try {
    await run(process.execPath, [bin, 'up'], { cwd: directory, env, timeoutMs: UP_MS });
    const { server } = record() ?? {};
    if (server === undefined) throw new Error(`${paths.stackFile} names no server`);
    const { connectionOptions, namespace } = await temporalSettings({}, paths);
    const connection = Connection.lazy(connectionOptions);
    closing.push(() => connection.close());
    return {
      ...{ home, env, bin, stop },
      temporal: new Client({ connection, namespace }),
      client: createClient({ url: server.url, token: readFileSync(paths.token, 'utf8').trim() }),
      cli: (...args) =>
        spawn(process.execPath, [bin, ...args], { cwd: directory, env, stdio: ['ignore', 'pipe', 'ignore'] }),
      workerPid: () => record()?.children.worker?.pid,
      serverPid: () => record()?.children.server?.pid,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function environment(home: string, modelUrl: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(MURMUR|TEMPORAL|ANTHROPIC|CLAUDE)_/.test(name));
  return {
    ...Object.fromEntries(inherited),
    MURMUR_HOME: home,
    MURMUR_API_PORT: '0',
    MURMUR_TEMPORAL_PORT: '0',
    MURMUR_TEMPORAL_UI_PORT: '0',
    ANTHROPIC_BASE_URL: modelUrl,
    // It must not occur in a prompt, because it is redacted in all events.
    ANTHROPIC_API_KEY: 'key-of-no-account',
  };
}

function readRecord(file: string): StackRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as StackRecord;
  } catch {
    // The file is missing or being written.
    return undefined;
  }
}

/** Kills what a failed `down` left. The supervisor comes first, because it restarts the others. */
async function killLeftovers(stack: StackRecord | undefined): Promise<void> {
  const { worker, server, temporal } = stack?.children ?? {};
  const pids = [stack?.supervisor, worker, server, temporal].flatMap((each) => each?.pid ?? []);
  for (const pid of pids.filter(lives)) {
    process.kill(pid, 'SIGKILL');
    const gone = () => Promise.resolve(lives(pid) ? undefined : true);
    await until(gone, { everyMs: 20, withinMs: 5_000, what: `the end of process ${pid.toString()}` });
  }
}
