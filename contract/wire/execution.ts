// How an agent's workflow is started: the same for a root agent, which the API server starts, and for a child, which its
// parent starts. Pure; loaded by the workflow sandbox.
import type { AgentSpec } from './agent.ts';
import { SEARCH_ATTRIBUTES } from './messages.ts';
import type { AgentMemo } from './messages.ts';

/**
 * A worker that died with a task in its hands holds it for so long. Replaying a history of ours takes well below a
 * second, also on a loaded machine; a timeout only means that another worker does it again.
 */
export const WORKFLOW_TASK_TIMEOUT = '5s';

/** Characters of a workflow's summary in Temporal's UI; the server refuses more than 400 bytes. */
const SUMMARY_LIMIT = 120;

/** What Temporal lists about the agent without a worker. */
export function agentMemo(spec: AgentSpec): AgentMemo {
  return {
    spawn_id: spec.spawn_id,
    purpose: spec.purpose ?? '',
    machine: spec.machine.name,
    provider: spec.machine.provider,
    created_at: spec.created_at,
  };
}

/** What agents can be searched by, by name: keywords, and a list of them. In the clear: names and addresses only. */
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
