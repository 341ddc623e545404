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

/** A search attribute in the form of the SDK's `SearchAttributePair`. */
type SearchAttribute =
  | { readonly key: { readonly name: string; readonly type: 'KEYWORD' }; readonly value: string }
  | { readonly key: { readonly name: string; readonly type: 'KEYWORD_LIST' }; readonly value: string[] };

/** The search attributes of a new agent. They are stored in the clear: names and addresses only. */
export function agentSearchAttributes({ identity, repos }: AgentSpec): SearchAttribute[] {
  const { workspace, account, path } = identity;
  const keyword = (name: string, value: string) => ({ key: { name, type: 'KEYWORD' as const }, value });
  return [
    keyword(SEARCH_ATTRIBUTES.workspace, workspace),
    keyword(SEARCH_ATTRIBUTES.owner, account),
    keyword(SEARCH_ATTRIBUTES.phase, 'starting'),
    keyword(SEARCH_ATTRIBUTES.root, path[0] ?? ''),
    { key: { name: SEARCH_ATTRIBUTES.repo, type: 'KEYWORD_LIST' }, value: repos.map((repo) => repo.clone_url) },
  ];
}

/** A slug is used once, unless its last life was closed for another one (ADR 32). It applies to a pilot's flight too. */
export function reusePolicyOf({ events_after }: AgentSpec): 'ALLOW_DUPLICATE' | 'REJECT_DUPLICATE' {
  return events_after === undefined ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE';
}

/** One line for Temporal's UI. */
export function agentSummary(spec: AgentSpec): string {
  const slug = spec.identity.path.join('/');
  const line = spec.purpose === undefined ? slug : `${slug}: ${spec.purpose.replaceAll(/\s+/g, ' ')}`;
  return line.slice(0, SUMMARY_LIMIT);
}
