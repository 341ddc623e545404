// What the activities of an agent work with; the worker's composition root makes it. Types only.
import type { AgentResult } from '../contract/wire/agent.ts';
import type { UsageReport } from '../contract/wire/budget.ts';
import type { KillOrder } from '../contract/wire/messages.ts';
import type { ServerAddress } from '../contract/wire/runner.ts';
import type { Report, Runners } from '../agents/platform.ts';
import type { Drivers } from '../drivers/platform.ts';

/** Messages to other agents, past their parents and children. */
export interface AgentControl {
  /** Resolves once the signal is durable, or there is no such living agent. */
  signal(agent: string, name: 'kill', order: KillOrder): Promise<void>;
  /** What its running turn has used; answers at which amount to tell again. */
  reportUsage(agent: string, usage: UsageReport): Promise<{ readonly report_at_usd?: number }>;
  /** What the agent answered at its end; undefined when it ended without an answer, or had not when `until` aborts. */
  result(agent: string, until: AbortSignal): Promise<AgentResult | undefined>;
}

export interface AgentPorts extends Drivers {
  readonly runners: Runners;
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
