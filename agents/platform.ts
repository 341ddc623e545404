// What code about agents works with, in the API server and in the worker.
import type { Client } from '@temporalio/client';
import type { Machine, RunnerUse } from '../drivers/machines/provider.ts';
import type { RunnerClient } from '../drivers/machines/runner-client.ts';
import type { Drivers } from '../drivers/platform.ts';

/** Deadlines and intervals, in milliseconds. Tests shorten them. */
export interface AgentTiming {
  /** Limit of one call to Temporal; covers a restart of the dev server, which takes a few seconds. */
  readonly temporalCall: number;
  /** Limit of a query. Without a worker it is never answered; the design allows `status` 2 s before its fallback. */
  readonly query: number;
  /** Limit of an update. Without a worker it is neither accepted nor rejected. A busy worker replays in less. */
  readonly update: number;
  /** Between checks of an agent whose log is silent: a terminated agent writes no event. */
  readonly recheck: number;
  /** A kill terminates an agent that has not answered for this long, because it has no worker. */
  readonly killUnanswered: number;
}

export const AGENT_TIMING: AgentTiming = {
  temporalCall: 10_000,
  query: 2_000,
  update: 10_000,
  recheck: 15_000,
  killUnanswered: 15_000,
};

/** Temporal, and the stores of agents. */
export interface AgentPlatform extends Drivers {
  readonly temporal: Client;
  /** Task queue of started workflows. */
  readonly taskQueue: string;
  /** MURMUR_HOME, absolute: nothing below it can be cloned. */
  readonly home: string;
  readonly timing: AgentTiming;
}

/** Finds and starts runners (drivers/machines/runner-process.ts). */
export interface Runners {
  /** The runner that was started last, if any. Does not ask it: its calls throw UNAVAILABLE when it has ended. Never starts one. */
  find(machine: Machine): Promise<RunnerClient | undefined>;
  /** The runner for this use. Starts one if none answers, and replaces one of another build. Throws UNAVAILABLE. */
  ensure(machine: Machine, use: RunnerUse): Promise<RunnerClient>;
}

/** Facts for the operator; no secrets. */
export type Report = (fact: string, details: Readonly<Record<string, unknown>>) => void;
