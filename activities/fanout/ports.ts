// What the activities of a fan-out work with; the worker's composition root makes it. Types only.
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { AgentIdentity } from '../../contract/wire/identity.ts';
import type { AgentPorts } from '../ports.ts';

/** Starts agents, and looks at what Temporal lists of them. */
export interface AgentStarter {
  /**
   * Resolves once Temporal has the agent, also when this very spawn has started it before. A child is started by its
   * parent. Throws ALREADY_EXISTS or FAILED_PRECONDITION for a slug that is or was in use, NOT_FOUND or
   * FAILED_PRECONDITION for a child whose parent has ended or ends; other errors mean that it should be tried again.
   */
  start(spec: AgentSpec): Promise<void>;
  /** How many agents live from this one down. */
  countTree(root: AgentIdentity): Promise<number>;
  /** Whether the agent, by its workflow id, has ended or is listed in a phase that is neither starting nor running. */
  rests(agent: string): Promise<boolean>;
}

export type FanoutPorts = Pick<AgentPorts, 'objects' | 'events' | 'secrets' | 'tokenStore' | 'key' | 'handover'> & {
  readonly starter: AgentStarter;
};
