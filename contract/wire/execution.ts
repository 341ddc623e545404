// Options of an agent's workflow execution. They are the same for a root agent, which the API server starts, and for a
// child, which its parent starts. Pure; loaded by the workflow sandbox.
import type { AgentSpec } from './agent.ts';
import { SEARCH_ATTRIBUTES } from './messages.ts';
import type { AgentMemo } from './messages.ts';

/**
 * How long a worker that died during a workflow task blocks that task. Replaying one of our histories takes well below
 * a second, even on a loaded machine. After a timeout another worker repeats the task.
 */
export const WORKFLOW_TASK_TIMEOUT = '5s';

/** Characters of a workflow's summary in Temporal's UI; the server rejects more than 400 bytes. */
const SUMMARY_LIMIT = 120;

/** The memo: facts about the agent that Temporal lists without a worker. */
export function agentMemo(spec: AgentSpec): AgentMemo {
  return {
    spawn_id: spec.spawn_id,
    purpose: spec.purpose ?? '',
    machine: spec.machine.name,
    provider: spec.machine.provider,
    created_at: spec.created_at,
  };
}

/** Search attributes by name: keywords and keyword lists. They are stored in the clear: names and addresses only. */
export function agentSearchAttributes(spec: AgentSpec): {
  readonly keywords: Readonly<Record<string, string>>;
  readonly lists: Readonly<Record<string, readonly string[]>>;
} {
  const { workspace, account, path } = spec.identity;
  return {
    keywords: {
      [SEARCH_ATTRIBUTES.workspace]: workspace,
      [SEARCH_ATTRIBUTES.owner]: account,
      [SEARCH_ATTRIBUTES.phase]: 'starting',
      [SEARCH_ATTRIBUTES.root]: path[0] ?? '',
    },
    lists: { [SEARCH_ATTRIBUTES.repo]: spec.repos.map((repo) => repo.clone_url) },
  };
}

/** One line for Temporal's UI. */
export function agentSummary(spec: AgentSpec): string {
  const slug = spec.identity.path.join('/');
  const line = spec.purpose === undefined ? slug : `${slug}: ${spec.purpose.replaceAll(/\s+/g, ' ')}`;
  return line.slice(0, SUMMARY_LIMIT);
}
