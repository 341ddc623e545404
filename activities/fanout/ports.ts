// What the activities of a fan-out work with; the worker creates it. Types only.
import type { AgentStarter } from '../../agents/starter.ts';
import type { AgentPorts } from '../ports.ts';

export type FanoutPorts = Pick<AgentPorts, 'objects' | 'events' | 'secrets' | 'tokenStore' | 'key' | 'handover'> & {
  readonly starter: AgentStarter;
};
