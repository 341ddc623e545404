// How activities are told which agent they work for. Pure: contract/wire only.
import type { AgentSpec, OfAgent, SessionRef } from '../contract/wire/agent.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';

/** The reference to the stored spec. Undefined for an agent of an earlier build, whose spec has no digest. */
export function sessionRef({ seal, identity, spawn_id, machine }: AgentSpec): SessionRef | undefined {
  return seal === undefined ? undefined : { agent: workflowIdOf(identity), spawn_id, provider: machine.provider, seal };
}

/** The agent as the input of an activity names it. */
export function ofAgent(spec: AgentSpec): OfAgent {
  const session = sessionRef(spec);
  // The first turn has the prompt among its inputs, and in every spec it would only fill the history.
  return session === undefined ? { spec: { ...spec, prompt: { text: '' } } } : { session };
}
