// What the activities of an agent work with; the worker creates it. Types only.
import type { AgentControl } from '../agents/control.ts';
import type { ServerAddress } from '../contract/wire/runner.ts';
import type { Report, Runners } from '../agents/platform.ts';
import type { Drivers } from '../drivers/platform.ts';

export interface AgentPorts extends Drivers {
  readonly runners: Runners;
  /** Id of the agents' Temporal namespace. Throws UNAVAILABLE if Temporal does not answer. */
  readonly namespaceId: () => Promise<string>;
  readonly control: AgentControl;
  /** Variables of every agent program for access to its model. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Address of the API server on this host; undefined while unknown, and then agents cannot use Murmur. */
  readonly api: () => ServerAddress | undefined;
  /** Aborts when this worker shuts down: running turns are handed over to the next one. */
  readonly handover: AbortSignal;
  readonly report: Report;
}
