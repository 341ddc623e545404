// What the activities of an agent work with; the worker's composition root makes it. Types only.
import type { AgentResult } from '../contract/wire/agent.ts';
import type { UsageReport } from '../contract/wire/budget.ts';
import type { KillOrder } from '../contract/wire/messages.ts';
import type { ServerAddress } from '../contract/wire/runner.ts';
import type { EventLog } from '../drivers/events/event-log.ts';
import type { SigningKey } from '../drivers/keys/signing-key.ts';
import type { Machines } from '../drivers/machines/configured.ts';
import type { Machine, RunnerUse } from '../drivers/machines/provider.ts';
import type { RunnerClient } from '../drivers/machines/runner-client.ts';
import type { ObjectStore } from '../drivers/objects/object-store.ts';
import type { SecretStore } from '../drivers/secrets/secret-store.ts';
import type { TokenStore } from '../drivers/tokens/token-store.ts';

/** Finds and starts runners (drivers/machines/runner-process.ts). */
export interface Runners {
  /** The runner if one answers; never starts one. */
  find(machine: Machine): Promise<RunnerClient | undefined>;
  /** The runner for this use, started when none answers, replaced when one of another build is in the way. Throws UNAVAILABLE. */
  ensure(machine: Machine, use: RunnerUse): Promise<RunnerClient>;
}

/** What the activities have to tell the operator: facts, no secrets. */
export type Report = (fact: string, details: Readonly<Record<string, unknown>>) => void;

/** Messages to other agents, past their parents and children. */
export interface AgentControl {
  /** Resolves once the signal is durable, or there is no such living agent. */
  signal(agent: string, name: 'kill', order: KillOrder): Promise<void>;
  /** What its running turn has used; answers at which amount to tell again. */
  reportUsage(agent: string, usage: UsageReport): Promise<{ readonly report_at_usd?: number }>;
  /** What the agent answered at its end; undefined when it ended without an answer, or had not when `until` aborts. */
  result(agent: string, until: AbortSignal): Promise<AgentResult | undefined>;
}

export interface AgentPorts {
  readonly machines: Machines;
  readonly runners: Runners;
  readonly objects: ObjectStore;
  readonly events: EventLog;
  readonly secrets: SecretStore;
  readonly tokens: TokenStore;
  /** The installation's: seals the specs of agents, and its id says whose a machine is. */
  readonly key: SigningKey;
  /** Id of the Temporal namespace in which the agents are. Throws UNAVAILABLE when Temporal cannot be asked. */
  readonly namespaceId: () => Promise<string>;
  readonly control: AgentControl;
  /** Environment of every agent program: what gives it access to a model. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Where this host reaches the API server; undefined while it is not known, and then agents have no Murmur. */
  readonly api: () => ServerAddress | undefined;
  /** Aborts when this worker shuts down: running turns are handed over to the next one. */
  readonly handover: AbortSignal;
  readonly report: Report;
}
