// Clients of a machine's runner: finds a running one, or ensures one.
import { posix } from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import { OLDEST_RUNNER_PROTOCOL, RUNNER_PROTOCOL } from '../../contract/wire/runner.ts';
import type { RunnerHealth } from '../../contract/wire/runner.ts';
import type { Machine, RunnerAccess, RunnerUse } from './provider.ts';
import { createRunnerClient, unreachable, type RunnerClient } from './runner-client.ts';

export interface RunnerPrograms {
  /** The runner as one bundled file on this host; it is copied to the machine. */
  readonly bundle: string;
  /** How long a runner may take to answer, in milliseconds; 20 s unless given. */
  readonly startLimitMs?: number;
}

/** The runner that answers, of any build; undefined when none does. Never starts one. */
export async function findRunner(machine: Machine): Promise<RunnerClient | undefined> {
  const client = await recordedRunner(machine);
  return client !== undefined && (await healthOf(machine, client)) !== undefined ? client : undefined;
}

/** A client of the machine's runner for this use; see `Machine.ensureRunner`. */
export async function ensureRunner(
  machine: Machine,
  { bundle, startLimitMs }: RunnerPrograms,
  use: RunnerUse,
  { askOnce = false, onGone }: { readonly askOnce?: boolean; readonly onGone?: () => void } = {},
): Promise<RunnerClient> {
  const limit = startLimitMs === undefined ? {} : { startLimitMs };
  return clientOf(machine, await machine.ensureRunner(bundle, { use, askOnce, ...limit }), onGone);
}

/**
 * `ensureRunner` for one worker. Checks a runner's health once per connection to its machine, and again after a call
 * that did not reach the runner. Does not repeat the failed call: its caller does.
 */
export function runnersOf(programs: RunnerPrograms): (machine: Machine, use: RunnerUse) => Promise<RunnerClient> {
  const failed = new Set<string>();
  return async (machine, use) => {
    const { name } = machine;
    const isSure = !failed.has(name);
    const client = await ensureRunner(machine, programs, use, { askOnce: isSure, onGone: () => failed.add(name) });
    failed.delete(name);
    return client;
  };
}

/** The runner that was started last, even if it does not answer; undefined when none was. */
export async function recordedRunner(machine: Machine): Promise<RunnerClient | undefined> {
  const access = await machine.recordedRunner();
  return access === undefined ? undefined : clientOf(machine, access);
}

/**
 * A client of the runner. Its calls throw UNAVAILABLE, which is retryable, when another process has taken the runner's
 * port: once the runner has ended, any agent can listen there.
 */
function clientOf(machine: Machine, access: RunnerAccess, onGone?: () => void): RunnerClient {
  return createRunnerClient(machine, access, (error) => {
    if (!isNotThisRunner(error)) return error;
    onGone?.();
    const isTaken = error instanceof MurmurError && error.code === 'UNAUTHENTICATED';
    return isTaken ? unreachable(machine, 'another process listens on its port', error) : error;
  });
}

/** The runner's health; undefined when nothing or another process answers. */
export async function healthOf(
  { name }: Pick<Machine, 'name'>,
  client: Pick<RunnerClient, 'health'>,
): Promise<RunnerHealth | undefined> {
  try {
    const health = await client.health();
    const isKnown = health.protocol >= OLDEST_RUNNER_PROTOCOL && health.protocol <= RUNNER_PROTOCOL;
    return health.machine === name && isKnown ? health : undefined;
  } catch (error) {
    if (isNotThisRunner(error)) return undefined;
    throw error;
  }
}

/** Whether the error means that nothing listens, or that another process has taken the port of an ended runner. */
export function isNotThisRunner(error: unknown): boolean {
  return error instanceof MurmurError && ['UNAVAILABLE', 'INTERNAL', 'UNAUTHENTICATED'].includes(error.code);
}

/** A file of the machine's runner; empty when it is missing. */
export async function readRunnerText(machine: Pick<Machine, 'paths' | 'get'>, name: string): Promise<string> {
  try {
    return (await machine.get(posix.join(machine.paths.runner, name))).toString('utf8');
  } catch (error) {
    if (error instanceof MurmurError && error.code === 'NOT_FOUND') return '';
    throw error;
  }
}
