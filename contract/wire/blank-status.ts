// The state of an agent of which nothing is known but who it is. Its workflow, where there is one, knows more.
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

/** Its names, and nothing done so far. */
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
