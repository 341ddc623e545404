// Starts the workflow of a root agent.
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import {
  agentMemo,
  agentSearchAttributes,
  agentSummary,
  WORKFLOW_TASK_TIMEOUT,
} from '../../contract/wire/execution.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { AGENT_WORKFLOW } from '../../contract/wire/messages.ts';

/** Resolves once Temporal has it. Throws the SDK's errors, WorkflowExecutionAlreadyStartedError for an id that is or was in use. */
export async function startRootAgent(client: Client, taskQueue: string, spec: AgentSpec): Promise<void> {
  await client.workflow.start(AGENT_WORKFLOW, {
    workflowId: workflowIdOf(spec.identity),
    taskQueue,
    args: [spec],
    // A slug is used once: its branch, its conversation and its record belong to one agent.
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
    memo: { ...agentMemo(spec) },
    typedSearchAttributes: searchAttributesOf(spec),
    staticSummary: agentSummary(spec),
  });
}

function searchAttributesOf(spec: AgentSpec): TypedSearchAttributes {
  const { keywords, lists } = agentSearchAttributes(spec);
  return new TypedSearchAttributes([
    ...Object.entries(keywords).map(([name, value]) => ({
      key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
      value,
    })),
    ...Object.entries(lists).map(([name, value]) => ({
      key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD_LIST),
      value: [...value],
    })),
  ]);
}
