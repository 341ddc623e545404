// Finds the runner of a machine, or starts it.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MurmurError } from '../../contract/wire/errors.ts';
import { RUNNER_PROTOCOL, type RunnerAddress, type RunnerConfig } from '../../contract/wire/runner.ts';
import { RUNNER_NODE_FLAGS } from './runner-flags.ts';
import type { Machine } from './provider.ts';
import { createRunnerClient, unreachable, type RunnerClient } from './runner-client.ts';

export interface RunnerPrograms {
  /** The runner as one bundled file on this host; it is copied to the machine. */
  readonly bundle: string;
  /** How long a runner may take to answer; 20 s unless given. */
  readonly startLimitMs?: number;
}

/** A runner answers within 0.2 s of its start; a loaded host may need many times that. */
const START_LIMIT_MS = 20_000;
/**
 * Address files appear without a signal over a machine's connection. A runner has written its own after some 60 ms; when
 * many start at once it takes seconds, and looking for all of them as often would delay them further.
 */
const LOOK_AGAIN = { firstMs: 5, whileMs: 200, laterMs: 50 } as const;

/** One start at a time per machine: two runners would write one journal. */
const starts = new Map<string, Promise<RunnerClient>>();

/** The runner that was started last, whether it answers or not; undefined when none ever was. */
export async function recordedRunner(machine: Machine): Promise<RunnerClient | undefined> {
  const address = await readJson<RunnerAddress>(machine, 'address.json');
  const config = await readJson<RunnerConfig>(machine, 'config.json');
  if (address === undefined || config === undefined) return undefined;
  return createRunnerClient(machine, { port: address.port, token: config.token });
}

/** The runner if one answers; undefined otherwise. Never starts one. */
export async function findRunner(machine: Machine): Promise<RunnerClient | undefined> {
  const client = await recordedRunner(machine);
  if (client === undefined) return undefined;
  try {
    const health = await client.health();
    return health.machine === machine.name && health.protocol === RUNNER_PROTOCOL ? client : undefined;
  } catch (error) {
    if (isNotThisRunner(error)) return undefined;
    throw error;
  }
}

/** Nothing listens, or something else that has the port of a runner that is gone: another runner refuses the token. */
export function isNotThisRunner(error: unknown): boolean {
  return error instanceof MurmurError && ['UNAVAILABLE', 'INTERNAL', 'UNAUTHENTICATED'].includes(error.code);
}

/**
 * The runner of the machine, started when none answers. Throws UNAVAILABLE with the end of the runner's log when it
 * does not come up.
 */
export async function ensureRunner(machine: Machine, programs: RunnerPrograms): Promise<RunnerClient> {
  const starting = starts.get(machine.name);
  if (starting !== undefined) return starting;
  const start = (async () => (await findRunner(machine)) ?? (await startRunner(machine, programs)))();
  starts.set(machine.name, start);
  try {
    return await start;
  } finally {
    starts.delete(machine.name);
  }
}

async function startRunner(machine: Machine, programs: RunnerPrograms): Promise<RunnerClient> {
  const file = (name: string): string => posix.join(machine.paths.runner, name);
  const known = await readJson<RunnerConfig>(machine, 'config.json');
  const config: RunnerConfig = {
    machine: machine.name,
    token: known?.token ?? randomBytes(32).toString('hex'),
    isolation: machine.isolationSettings,
  };
  await machine.put(file('config.json'), JSON.stringify(config), 0o600);
  if (machine.shareRunner === undefined) {
    await machine.put(file('runner.cjs'), await readFile(programs.bundle), 0o600);
    const args = [...RUNNER_NODE_FLAGS, file('runner.cjs'), machine.paths.runner];
    await machine.launch(machine.node, args, { log: file('runner.log') });
  } else {
    await machine.shareRunner(programs.bundle);
    // It serves already, unless another process has had the machine.
    const client = await findRunner(machine);
    if (client !== undefined) return client;
  }
  const began = Date.now();
  const end = began + (programs.startLimitMs ?? START_LIMIT_MS);
  while (Date.now() < end) {
    await delay(Date.now() - began < LOOK_AGAIN.whileMs ? LOOK_AGAIN.firstMs : LOOK_AGAIN.laterMs);
    const client = await findRunner(machine);
    if (client !== undefined) return client;
  }
  const log = await readRunnerText(machine, 'runner.log');
  throw unreachable(machine, `it did not start: ${log.slice(-1_000).trim()}`);
}

/** Undefined when there is no such file, or one that was cut off: the runner that is started writes it anew. */
async function readJson<Value>(machine: Machine, name: string): Promise<Value | undefined> {
  const text = await readRunnerText(machine, name);
  try {
    return JSON.parse(text) as Value;
  } catch {
    return undefined;
  }
}

/** A file of the machine's runner; empty when there is none. */
export async function readRunnerText(machine: Machine, name: string): Promise<string> {
  try {
    return (await machine.get(posix.join(machine.paths.runner, name))).toString('utf8');
  } catch (error) {
    if (error instanceof MurmurError && error.code === 'NOT_FOUND') return '';
    throw error;
  }
}
