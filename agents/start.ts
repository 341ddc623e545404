// Starts the workflow of a root agent, and waits for that of a child.
import { setTimeout as delay } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import type { AgentSpec } from '../contract/wire/agent.ts';
import { agentMemo, agentSearchAttributes, agentSummary, WORKFLOW_TASK_TIMEOUT } from '../contract/wire/execution.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import { AGENT_WORKFLOW } from '../contract/wire/messages.ts';
import type { AgentMemo } from '../contract/wire/messages.ts';

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

/** Temporal starts a child within some ten milliseconds of its parent's word, on a busy machine within seconds. */
const FIRST_LOOK_MS = 10;
const LAST_LOOK_MS = 200;

/**
 * Resolves once Temporal has the child that its parent was asked to start by this spawn. Looks until the deadline that it is called
 * with ends it; throws the SDK's errors, WorkflowExecutionAlreadyStartedError for an id that is or was in use.
 */
export async function untilStarted(client: Client, { identity, spawn_id }: AgentSpec): Promise<void> {
  const id = workflowIdOf(identity);
  for (let pause = FIRST_LOOK_MS; ; pause = Math.min(pause * 2, LAST_LOOK_MS)) {
    const known = await describeWorkflow(client, id);
    if ((known?.memo as Partial<AgentMemo> | undefined)?.spawn_id === spawn_id) return;
    if (known !== undefined) throw new WorkflowExecutionAlreadyStartedError('the id is in use', id, AGENT_WORKFLOW);
    await delay(pause);
  }
}

/** Undefined when Temporal does not know it. */
export async function describeWorkflow(client: Client, id: string): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.workflow.getHandle(id).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
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
