// Finds the runner of a machine, starts it, and replaces one of another build. This is the one place that decides which runner
// an agent has.
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MurmurError } from '../../contract/wire/errors.ts';
import { OLDEST_RUNNER_PROTOCOL, RUNNER_PROTOCOL } from '../../contract/wire/runner.ts';
import type { RunnerAddress, RunnerConfig } from '../../contract/wire/runner.ts';
import { lastTurnOf } from './last-turn.ts';
import { runnerBuild } from '../../runner/identity/build.ts';
import { RUNNER_NODE_FLAGS } from '../../runner/identity/flags.ts';
import type { Machine } from './provider.ts';
import { createRunnerClient, unreachable, type RunnerClient } from './runner-client.ts';

export interface RunnerPrograms {
  /** The runner as one bundled file on this host; it is copied to the machine. */
  readonly bundle: string;
  /** How long a runner may take to answer; 20 s unless given. */
  readonly startLimitMs?: number;
}

/** What a runner is wanted for. */
export type RunnerUse =
  /** To reach what runs, such as a turn that is to be interrupted: a runner of any build will do. */
  | 'reach'
  /** To begin something on the machine. */
  | 'begin'
  /** To run the turn of this id, or to find it as it is. */
  | { readonly turn: string };

/** A runner answers within 0.2 s of its start; a loaded host may need many times that. */
const START_LIMIT_MS = 20_000;
/**
 * Address files appear without a signal over a machine's connection. A runner has written its own after some 60 ms; when
 * many start at once it takes seconds, and looking for all of them as often would delay them further.
 */
const LOOK_AGAIN = { firstMs: 5, whileMs: 200, laterMs: 50 } as const;

/** A runner that has stopped gives up its port at once; a busy host may take a while. */
const GONE_LIMIT_MS = 10_000;

/** One decision at a time per machine: two runners would write one journal. */
const decisions = new Map<string, Promise<RunnerClient>>();

/** The runner if one answers, of whatever build; undefined otherwise. Never starts one. */
export async function findRunner(machine: Machine): Promise<RunnerClient | undefined> {
  return (await look(machine))?.client;
}

/**
 * The runner of the machine, started when none answers. One of another build keeps the turn that it runs, and is asked how one
 * has ended that it ran last; before anything new begins it is stopped in good order and replaced, and what the agent has
 * left running between its turns ends with it. Throws UNAVAILABLE with the end of the runner's log when it does not come up.
 */
export async function ensureRunner(machine: Machine, programs: RunnerPrograms, use: RunnerUse): Promise<RunnerClient> {
  for (let other = decisions.get(machine.name); other !== undefined; other = decisions.get(machine.name)) {
    if (use === 'reach') return other;
    // It may have been wanted for something else.
    await other.catch(() => undefined);
  }
  const decision = decide(machine, programs, use);
  decisions.set(machine.name, decision);
  try {
    return await decision;
  } finally {
    decisions.delete(machine.name);
  }
}

async function decide(machine: Machine, programs: RunnerPrograms, use: RunnerUse): Promise<RunnerClient> {
  const found = await look(machine);
  if (found === undefined) return startRunner(machine, programs);
  if (use === 'reach' || found.build === runnerBuild(programs.bundle)) return found.client;
  const turn = await lastTurnOf(machine);
  if (turn?.isOpen === true || (turn !== undefined && use !== 'begin' && turn.id === use.turn)) return found.client;
  await stopInGoodOrder(machine, found.client);
  return startRunner(machine, programs);
}

/** The runner that was started last, whether it answers or not; undefined when none ever was. */
export async function recordedRunner(machine: Machine): Promise<RunnerClient | undefined> {
  const address = await readJson<RunnerAddress>(machine, 'address.json');
  if (address === undefined) return undefined;
  const { port, token } = address;
  if (token !== undefined) return createRunnerClient(machine, { port, token });
  const early = (await readJson<RunnerConfig>(machine, 'config.json'))?.token;
  if (early === undefined) return undefined;
  const isUnchanged = async (): Promise<boolean> => await machine.isEarlyRunner(address);
  return createRunnerClient(machine, { port, token: early, isUnchanged });
}

/** Who answers on the machine, and of which build it says to be: those from before it was asked about say nothing. */
async function look(machine: Machine): Promise<{ client: RunnerClient; build: string | undefined } | undefined> {
  const client = await recordedRunner(machine);
  if (client === undefined) return undefined;
  try {
    const health = await client.health();
    const isKnown = health.protocol >= OLDEST_RUNNER_PROTOCOL && health.protocol <= RUNNER_PROTOCOL;
    return health.machine === machine.name && isKnown ? { client, build: health.build } : undefined;
  } catch (error) {
    if (isNotThisRunner(error)) return undefined;
    throw error;
  }
}

/** Nothing listens, or something else that has the port of a runner that is gone. */
export function isNotThisRunner(error: unknown): boolean {
  return error instanceof MurmurError && ['UNAVAILABLE', 'INTERNAL', 'UNAUTHENTICATED'].includes(error.code);
}

/** Resolves when it answers no more. */
async function stopInGoodOrder(machine: Machine, runner: RunnerClient): Promise<void> {
  await runner.stop({ status: 'cut_off' }).catch((error: unknown) => {
    // The connection may break with its end.
    if (!(error instanceof MurmurError) || error.code !== 'UNAVAILABLE') throw error;
  });
  for (const end = Date.now() + GONE_LIMIT_MS; (await look(machine)) !== undefined; await delay(LOOK_AGAIN.firstMs)) {
    if (Date.now() > end) throw unreachable(machine, 'one of another build does not end');
  }
}

async function startRunner(machine: Machine, programs: RunnerPrograms): Promise<RunnerClient> {
  const file = (name: string): string => posix.join(machine.paths.runner, name);
  const known = await readJson<RunnerConfig>(machine, 'config.json');
  const config: RunnerConfig = {
    machine: machine.name,
    // One of build b35f5f2 that does not answer may be about to do so.
    ...(known?.token === undefined ? {} : { token: known.token }),
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
