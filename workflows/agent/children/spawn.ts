// Spawns a child: enters it into the registry, grants its share of the budget and starts its workflow.
import {
  defineSearchAttributeKey,
  SearchAttributeType,
  TypedSearchAttributes,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import {
  ParentClosePolicy,
  patched,
  startChild as startChildWorkflow,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
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
import type { AgentUpdates } from '../../../contract/wire/messages.ts';
import { PATCHES } from '../../patches.ts';
import { grantChild, requireBudgetLeft, releaseChild } from '../budget/spending.ts';
import type { AgentState } from '../state.ts';
import { registerChild, markStarted, removeChild } from './children.ts';

/** What a spawn works with beside the state. */
export interface SpawnContext {
  readonly spec: AgentSpec;
  readonly now: string;
}

type SpawnAnswer = AgentUpdates['spawnChild']['output'];

/**
 * An update that is answered in a later task than the one that brought it can end a workflow's progress: with many at once,
 * server 1.31 and SDK 1.24 may mix up two tasks, and from then on each task fails with "ProtocolMessageCommand referenced
 * absent message ID" (seen once, of an agent that was asked for nineteen children at once: in the replay the answer belonged
 * to an earlier task than in the history). So a spawn is answered at once, as all other updates are. False in a history
 * whose spawns were answered when the child had started.
 */
const answersAtOnce = (): boolean => patched(PATCHES.spawnsAnsweredAtOnce);

/**
 * Spawns a child; spawned again, it answers the same. A promise only in a history of old. Throws MurmurError ALREADY_EXISTS,
 * FAILED_PRECONDITION and RESOURCE_EXHAUSTED.
 */
export function spawnChild(
  state: AgentState,
  child: AgentSpec,
  context: SpawnContext,
): SpawnAnswer | Promise<SpawnAnswer> {
  const answer = { slug: child.identity.path.at(-1) ?? '' };
  if (!answersAtOnce()) return spawnAndWait(state, child, context, answer);
  if (!enter(state, child, context)) return answer;
  startRegistered(state, child).catch((error: unknown) => {
    // Whoever asked looks for the child, and finds that it is not there.
    if (!(error instanceof MurmurError)) throw error;
  });
  return answer;
}

/** False when this very spawn has been entered before. Throws for one that is refused. */
function enter(state: AgentState, child: AgentSpec, { spec, now }: SpawnContext): boolean {
  if (!state.children.some(({ spawn_id }) => spawn_id === child.spawn_id)) requireBudgetLeft(state, spec);
  return registerChild(state, spec, child, now);
}

/** Starts a child that is entered; takes it back when that cannot be. */
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

/** As it was until spawns were answered at once: also a refusal comes later. */
async function spawnAndWait(
  state: AgentState,
  child: AgentSpec,
  context: SpawnContext,
  answer: SpawnAnswer,
): Promise<SpawnAnswer> {
  if (enter(state, child, context)) await startRegistered(state, child);
  return answer;
}

/**
 * Resolves once Temporal has the child. Abandoned when this run closes: a policy looks at the run, and the parent
 * continues as new. Throws ALREADY_EXISTS for an id that is or was in use.
 */
async function startChild(spec: AgentSpec): Promise<void> {
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
