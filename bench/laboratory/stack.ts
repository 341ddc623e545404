// The product as its users have it: `murmur up` in a MURMUR_HOME of its own, the API over HTTP, the CLI as a process.
// Imports Node built-ins, config's account of the stack, processes and bounded.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { homePaths } from '../../config/home.ts';
import { readStackFile, type StackFile } from '../../config/stack-file.ts';
import { until } from '../bounded.ts';
import { lives } from './processes.ts';
import { run } from './run.ts';

export interface Stack {
  /** MURMUR_HOME. */
  readonly home: string;
  readonly temporal: { readonly address: string; readonly namespace: string };
  /** Environment of a CLI that talks to this stack. */
  readonly env: NodeJS.ProcessEnv;
  /** One operation over HTTP. Throws with the server's words when it is refused. */
  call(operation: string, input: object): Promise<unknown>;
  /** An open answer of a streaming operation. */
  stream(operation: string, input: object, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Starts `murmur` with these arguments, its output piped. */
  cli(...args: string[]): ChildProcess;
  /** Processes and addresses at this moment. */
  facts(): StackFile;
  stop(): Promise<void>;
}

export interface StackOptions {
  readonly packageRoot: string;
  readonly directory: string;
  readonly modelUrl: string;
}

/** A first `up` may bundle workflows and make a database; on a busy machine that takes some tens of seconds. */
const UP_MS = 120_000;
/** `down` ends turns, runners and a server in order. */
const DOWN_MS = 60_000;

/** Resolves when the stack serves. What is left of it when it does not is ended. */
export async function startStack({ packageRoot, directory, modelUrl }: StackOptions): Promise<Stack> {
  const home = path.join(directory, 'home');
  const paths = homePaths(home);
  const bin = path.join(packageRoot, 'bin', 'murmur.js');
  const env = environment(home, modelUrl);
  const stop = async () => {
    const before = readStackFile(paths);
    await run(process.execPath, [bin, 'down'], { cwd: directory, env, timeoutMs: DOWN_MS }).catch(() => undefined);
    await endWhatIsLeft(before);
  };
  try {
    await run(process.execPath, [bin, 'up'], { cwd: directory, env, timeoutMs: UP_MS });
    const facts = () => {
      const file = readStackFile(paths);
      if (file === undefined) throw new Error(`there is no stack.json in ${home}`);
      return file;
    };
    const { temporal, server } = facts();
    const token = (await readFile(paths.token, 'utf8')).trim();
    const post = (operation: string, input: object, accept: string, signal?: AbortSignal) =>
      fetch(`${server.url}/v1/${operation}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept },
        body: JSON.stringify(input),
        ...(signal === undefined ? {} : { signal }),
      });
    return {
      ...{ home, temporal, env, facts, stop },
      call: async (operation, input) => {
        const response = await post(operation, input, 'application/json');
        const body: unknown = await response.json();
        if (!response.ok) throw new Error(`${operation}: ${JSON.stringify(body)}`);
        return body;
      },
      stream: async (operation, input, signal) => {
        const response = await post(operation, input, 'text/event-stream', signal);
        if (!response.ok || response.body === null) throw new Error(`${operation}: ${await response.text()}`);
        return response.body;
      },
      cli: (...args) =>
        spawn(process.execPath, [bin, ...args], { cwd: directory, env, stdio: ['ignore', 'pipe', 'ignore'] }),
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
    // Lets a spawn ask for the fake backend, which no user should meet.
    MURMUR_ALLOW_FAKE_BACKEND: '1',
    ANTHROPIC_BASE_URL: modelUrl,
    ANTHROPIC_API_KEY: 'bench',
  };
}

/** A `down` that failed must leave nothing behind either: the supervisor first, since it starts the others again. */
async function endWhatIsLeft(stack: StackFile | undefined): Promise<void> {
  const pids = [stack?.supervisor.pid, stack?.worker.pid, stack?.server.pid, stack?.temporal.pid];
  for (const pid of pids.filter((each) => each !== undefined).filter(lives)) {
    process.kill(pid, 'SIGKILL');
    const gone = () => Promise.resolve(lives(pid) ? undefined : true);
    await until(gone, { everyMs: 20, withinMs: 5_000, what: `the end of process ${pid.toString()}` });
  }
}
