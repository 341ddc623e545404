// Spawns a child: registers it, grants its share of the budget and starts its workflow.
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, patched, startChild as startChildWorkflow } from '@temporalio/workflow';
import type { AgentSpec } from '../../../contract/wire/agent.ts';
import { MurmurError } from '../../../contract/wire/errors.ts';
import {
  agentMemo,
  agentSearchAttributes,
  agentSummary,
  reusePolicyOf,
  WORKFLOW_TASK_TIMEOUT,
} from '../../../contract/wire/execution.ts';
import { absolutePathOf, workflowIdOf } from '../../../contract/wire/identity.ts';
import { AGENT_WORKFLOW } from '../../../contract/wire/messages.ts';
import type { AgentUpdates } from '../../../contract/wire/messages.ts';
import { PATCHES } from '../../patches.ts';
import { grantChild, requireBudgetLeft, releaseChild } from '../budget/spending.ts';
import type { AgentState } from '../state.ts';
import { registerChild, markStarted, removeChild } from './children.ts';

/** What a spawn needs besides the state. */
export interface SpawnContext {
  readonly spec: AgentSpec;
  readonly now: string;
}

type SpawnAnswer = AgentUpdates['spawnChild']['output'];

/**
 * Whether a spawn is answered in the workflow task that delivers it, like all other updates. False only in a history
 * recorded before this patch, where the answer followed the child's start.
 *
 * The reason: an update answered in a later task can block a workflow for good. With many at once, server 1.31 and SDK
 * 1.24 may confuse two tasks. Every further task then fails with "ProtocolMessageCommand referenced absent message ID".
 * It was seen once, with nineteen spawns sent at once: in the replay the answer belonged to an earlier task than in the
 * history.
 */
const answersAtOnce = (): boolean => patched(PATCHES.spawnsAnsweredAtOnce);

/**
 * Spawns a child. Repeating a spawn returns the same answer. Returns a promise only in a history recorded before the
 * patch. Throws MurmurError ALREADY_EXISTS, FAILED_PRECONDITION and RESOURCE_EXHAUSTED.
 */
export function spawnChild(
  state: AgentState,
  child: AgentSpec,
  context: SpawnContext,
): SpawnAnswer | Promise<SpawnAnswer> {
  const answer = { slug: child.identity.path.at(-1) ?? '' };
  if (!answersAtOnce()) return spawnAndWait(state, child, context, answer);
  if (!register(state, child, context)) return answer;
  startRegistered(state, child).catch((error: unknown) => {
    // The caller polls for the child and finds that it does not exist.
    if (!(error instanceof MurmurError)) throw error;
  });
  return answer;
}

/** Returns false for a repeated spawn. Throws when the spawn is refused. */
function register(state: AgentState, child: AgentSpec, { spec, now }: SpawnContext): boolean {
  if (!state.children.some(({ spawn_id }) => spawn_id === child.spawn_id)) requireBudgetLeft(state, spec);
  return registerChild(state, spec, child, now);
}

/** Starts a registered child; removes it from the registry if that fails. */
async function startRegistered(state: AgentState, child: AgentSpec): Promise<void> {
  try {
    await startChild(grantChild(state, child));
    markStarted(state, child.spawn_id);
  } catch (error) {
    removeChild(state, child.spawn_id);
    releaseChild(state, child.spawn_id, 0);
    throw error;
  }
}

/** The behaviour before the patch: the answer, or a refusal, follows the child's start. */
async function spawnAndWait(
  state: AgentState,
  child: AgentSpec,
  context: SpawnContext,
  answer: SpawnAnswer,
): Promise<SpawnAnswer> {
  if (register(state, child, context)) await startRegistered(state, child);
  return answer;
}

/**
 * Resolves once the child's workflow exists. The close policy is ABANDON, because a policy applies to the run and the
 * parent continues as new. Throws ALREADY_EXISTS for a workflow id that is or was in use.
 */
async function startChild(spec: AgentSpec): Promise<void> {
  try {
    await startChildWorkflow(AGENT_WORKFLOW, {
      workflowId: workflowIdOf(spec.identity),
      args: [spec],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: reusePolicyOf(spec),
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      memo: { ...agentMemo(spec) },
      typedSearchAttributes: new TypedSearchAttributes(agentSearchAttributes(spec)),
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
