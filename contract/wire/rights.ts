// Who may do what to which agent. Pure; loaded by the workflow sandbox as well: no imports but types.
import type { AgentIdentity } from './identity.ts';

/**
 * What an operation does to an agent. `read` looks, `message` tells it something that it may act on, `change` steers or
 * ends it, `own` is for people alone: what an agent must not do even to itself.
 */
export type Access = 'read' | 'message' | 'change' | 'own';

/** Who asks. */
export interface Caller {
  readonly account: string;
  /** The agent whose token it is; absent for a person. */
  readonly agent?: AgentIdentity;
  /** `owner`: the agent may change every agent of its account. */
  readonly rights?: 'owner';
}

/**
 * Whether the caller may. A person reads every agent and changes their own; an agent reads and messages those of its
 * account, and changes itself and what is beneath it. Who may not is answered as if there were no such agent.
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

/** Whether an agent may spawn one with this identity: beneath itself, or anywhere in its account with owner's rights. */
export function maySpawn(caller: Caller, child: AgentIdentity): boolean {
  if (child.account !== caller.account) return false;
  if (caller.agent === undefined || caller.rights === 'owner') return true;
  return isWithin(child, caller.agent) && child.path.length > caller.agent.path.length;
}

/** Whether an agent is another one or lies beneath it. */
export function isWithin(agent: AgentIdentity, top: AgentIdentity): boolean {
  return (
    agent.workspace === top.workspace &&
    agent.account === top.account &&
    top.path.every((slug, index) => agent.path[index] === slug)
  );
}
