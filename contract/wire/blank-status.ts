// The status of an agent of which only the identity is known.
import type { AgentStatus } from './agent.ts';
import { absolutePathOf, workflowIdOf } from './identity.ts';
import type { AgentIdentity } from './identity.ts';

type Unknown =
  | 'slug'
  | 'workspace'
  | 'account'
  | 'path'
  | 'workflow'
  | 'queued'
  | 'branches'
  | 'commits'
  | 'prs'
  | 'cost'
  | 'tasks';

/** The agent's names, and empty values for the rest. */
export function blankStatus(identity: AgentIdentity): Pick<AgentStatus, Unknown> {
  return {
    slug: identity.path.join('/'),
    workspace: identity.workspace,
    account: identity.account,
    path: absolutePathOf(identity),
    workflow: workflowIdOf(identity),
    queued: [],
    branches: [],
    commits: 0,
    prs: [],
    cost: { total_usd: 0, own_usd: 0, children_usd: 0, by_model: {} },
    tasks: { total: 0, open: 0 },
  };
}
