// What the activities of an agent work with; the worker's composition root makes it. Types only.
import type { AgentControl } from '../agents/control.ts';
import type { ServerAddress } from '../contract/wire/runner.ts';
import type { Report, Runners } from '../agents/platform.ts';
import type { Drivers } from '../drivers/platform.ts';

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
