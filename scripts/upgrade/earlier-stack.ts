// A stack in its own home, started by an earlier build and taken over by the current one. Requests to the earlier build
// and its files are in that build's format. Today's client is not used, because it may have changed.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { ProcessIdentity } from '../../contract/stack.ts';
import { endProcess, identityOf } from '../../stack/process.ts';
import { startStack } from '../../test/e2e/fixtures/stack.ts';
import type { TestStack } from '../../test/e2e/fixtures/stack.ts';
import type { EarlierBuild } from './earlier-build.ts';

/** The longest start on a busy machine. */
const COMMAND_LIMIT_MS = 180_000;

/** `stack.json` as of build b35f5f2. */
interface EarlierRecord {
  readonly supervisor: { readonly pid: number };
  readonly server: { readonly url: string };
  readonly children: Readonly<Record<string, { readonly pid: number }>>;
}

export interface EarlierStack extends AsyncDisposable {
  /** The stack under the current build, once it has taken over. */
  readonly stack: TestStack;
  /** Calls an operation of the earlier build's server. Throws with the server's answer if it refuses. */
  call<Answer>(operation: string, input: object): Promise<Answer>;
  /** Runs the earlier build's `murmur up` again. */
  up(): Promise<void>;
  /** Freezes its worker and kills its supervisor. Returns both. */
  freezeWorker(): Promise<Readonly<Record<'supervisor' | 'worker', ProcessIdentity>>>;
  /** Runs the earlier build's `murmur down`; no process of it runs afterwards. */
  down(): Promise<void>;
  /** Kills its processes at once, as in a power cut, except the runners and their children. */
  killButRunners(): Promise<void>;
}

/** Starts the stack. Disposing ends all its processes, of either build. */
export async function startEarlierStack(build: EarlierBuild): Promise<EarlierStack> {
  const stack = await startStack({ up: false });
  const murmur = (...args: readonly string[]) =>
    execa(process.execPath, [build.program, ...args], {
      env: { ...stack.env },
      extendEnv: false,
      cwd: stack.sample.checkout,
      stdin: 'ignore',
      timeout: COMMAND_LIMIT_MS,
    });
  const record = async (): Promise<EarlierRecord> =>
    JSON.parse(await readFile(join(stack.home, 'stack.json'), 'utf8')) as EarlierRecord;
  try {
    await murmur('up');
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
  return {
    stack,
    call: async (operation, input) => {
      const { server } = await record();
      const token = (await readFile(join(stack.home, 'token'), 'utf8')).trim();
      const response = await fetch(`${server.url}/v1/${operation}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(input),
        signal: AbortSignal.timeout(COMMAND_LIMIT_MS),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`build ${build.commit} refuses ${operation}: ${text}`);
      return JSON.parse(text) as never;
    },
    up: async () => void (await murmur('up')),
    freezeWorker: async () => {
      const found = await record();
      const [supervisor, worker] = await Promise.all(
        [found.supervisor, found.children['worker']].map((each) => identityOf(each?.pid ?? 0)),
      );
      if (supervisor === undefined || worker === undefined) throw new Error('supervisor or worker does not run');
      process.kill(worker.pid, 'SIGSTOP');
      await endProcess(supervisor, COMMAND_LIMIT_MS, 'SIGKILL');
      return { supervisor, worker };
    },
    down: async () => void (await murmur('down')),
    killButRunners: async () => {
      const { children, supervisor } = await record();
      // The supervisor first: it would restart the others.
      for (const { pid } of [supervisor, ...Object.values(children)]) {
        const identity = await identityOf(pid);
        if (identity !== undefined) await endProcess(identity, COMMAND_LIMIT_MS, 'SIGKILL');
      }
    },
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

/** Starts a worker of the earlier build beside the one of the running stack. Disposing ends it. */
export function startEarlierWorker({ folder }: EarlierBuild, { env, home }: TestStack): AsyncDisposable {
  const worker = execa(process.execPath, [join(folder, 'worker', 'main.ts')], {
    env: { ...env },
    extendEnv: false,
    cwd: home,
    stdio: 'ignore',
    reject: false,
  });
  return {
    [Symbol.asyncDispose]: async () => {
      worker.kill();
      await worker;
    },
  };
}
