// What code about agents needs, in the API server and in the worker alike.
import type { Client } from '@temporalio/client';
import type { Machine, RunnerUse } from '../drivers/machines/provider.ts';
import type { RunnerClient } from '../drivers/machines/runner-client.ts';
import type { Drivers } from '../drivers/platform.ts';

/** Deadlines and intervals, in milliseconds. Tests shorten them. */
export interface AgentTiming {
  /** Of one call to Temporal; it covers a restart of the dev server, which takes a few seconds. */
  readonly temporalCall: number;
  /** A query without a worker never answers; the design allows `status` 2 s before it falls back. */
  readonly query: number;
  /** Of an update; without a worker it is neither accepted nor refused. A busy worker replays a history in less. */
  readonly update: number;
  /** Between looks at an agent whose log is silent: one that was terminated by hand writes no event. */
  readonly recheck: number;
  /** An agent under kill that answers no question for so long has no worker: it is terminated. */
  readonly killUnanswered: number;
}

export const AGENT_TIMING: AgentTiming = {
  temporalCall: 10_000,
  query: 2_000,
  update: 10_000,
  recheck: 15_000,
  killUnanswered: 15_000,
};

/** Temporal, and where everything about agents is kept. */
export interface AgentPlatform extends Drivers {
  readonly temporal: Client;
  /** Of the workflows that are started. */
  readonly taskQueue: string;
  /** MURMUR_HOME, absolute: nothing below it can be cloned. */
  readonly home: string;
  readonly timing: AgentTiming;
}

/** Finds and starts runners (drivers/machines/runner-process.ts). */
export interface Runners {
  /** The runner if one answers; never starts one. */
  find(machine: Machine): Promise<RunnerClient | undefined>;
  /** The runner for this use, started when none answers, replaced when one of another build is in the way. Throws UNAVAILABLE. */
  ensure(machine: Machine, use: RunnerUse): Promise<RunnerClient>;
}

/** Facts for the operator; no secrets. */
export type Report = (fact: string, details: Readonly<Record<string, unknown>>) => void;
