// Access rights to agents. Pure; loaded by the workflow sandbox: imports types only.
import type { AgentIdentity } from './identity.ts';

/**
 * What an operation does to an agent. `read` reads its state, `message` sends it a message, `change` steers or ends it.
 * `own` is for people only: an agent may not do it, even to itself.
 */
export type Access = 'read' | 'message' | 'change' | 'own';

/** The caller of an operation. */
export interface Caller {
  readonly account: string;
  /** The agent that the token belongs to; absent for a person. */
  readonly agent?: AgentIdentity;
  /** `owner`: the agent may change every agent of its account. */
  readonly rights?: 'owner';
}

/**
 * Whether the caller has the access. A person may read all agents and change their own. An agent may read and message
 * the agents of its account, and change itself and its descendants. A refused caller gets the answer for an unknown
 * agent.
 */
export function may(caller: Caller, access: Access, target: AgentIdentity): boolean {
  const isOwn = target.account === caller.account;
  if (caller.agent === undefined) return access === 'read' || isOwn;
  if (!isOwn) return false;
  switch (access) {
    case 'read':
    case 'message':
      return true;
    case 'change':
      return caller.rights === 'owner' || isWithin(target, caller.agent);
    case 'own':
      return false;
  }
}

/** Whether the caller may spawn this agent. An agent may spawn its descendants, or any of its account with `owner`. */
export function maySpawn(caller: Caller, child: AgentIdentity): boolean {
  if (child.account !== caller.account) return false;
  if (caller.agent === undefined || caller.rights === 'owner') return true;
  return isWithin(child, caller.agent) && child.path.length > caller.agent.path.length;
}

/** Whether `agent` is `top` or one of its descendants. */
export function isWithin(agent: AgentIdentity, top: AgentIdentity): boolean {
  return (
    agent.workspace === top.workspace &&
    agent.account === top.account &&
    top.path.every((slug, index) => agent.path[index] === slug)
  );
}
