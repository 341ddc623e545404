// Starts the workflow of a child.
import {
  defineSearchAttributeKey,
  SearchAttributeType,
  TypedSearchAttributes,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import { ParentClosePolicy, startChild as startChildWorkflow, WorkflowIdReusePolicy } from '@temporalio/workflow';
import type { AgentSpec } from '../../../contract/wire/agent.ts';
import { MurmurError } from '../../../contract/wire/errors.ts';
import {
  agentMemo,
  agentSearchAttributes,
  agentSummary,
  WORKFLOW_TASK_TIMEOUT,
} from '../../../contract/wire/execution.ts';
import { absolutePathOf, workflowIdOf } from '../../../contract/wire/identity.ts';
import { AGENT_WORKFLOW } from '../../../contract/wire/messages.ts';

/**
 * Resolves once Temporal has the child. Abandoned when this run closes: a policy looks at the run, and the parent
 * continues as new. Throws ALREADY_EXISTS for an id that is or was in use.
 */
export async function startChild(spec: AgentSpec): Promise<void> {
  const { keywords, lists } = agentSearchAttributes(spec);
  try {
    await startChildWorkflow(AGENT_WORKFLOW, {
      workflowId: workflowIdOf(spec.identity),
      args: [spec],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      memo: { ...agentMemo(spec) },
      typedSearchAttributes: new TypedSearchAttributes([
        ...Object.entries(keywords).map(([name, value]) => ({
          key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
          value,
        })),
        ...Object.entries(lists).map(([name, value]) => ({
          key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD_LIST),
          value: [...value],
        })),
      ]),
      staticSummary: agentSummary(spec),
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const path = absolutePathOf(spec.identity);
    throw new MurmurError('ALREADY_EXISTS', `agent ${JSON.stringify(path)} exists already`, {
      hint: 'send it a follow-up, or spawn under another slug',
      details: { path },
    });
  }
}
