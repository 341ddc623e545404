// Starts an agent's workflow, once.
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '@temporalio/client';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { slugProblem } from '../../contract/wire/identity.ts';
import { AGENT_WORKFLOW } from '../../contract/wire/messages.ts';
import { ended } from '../agents/absence.ts';
import { addressOfIdentity, workspaceOf } from '../agents/address.ts';
import type { AgentAddress } from '../agents/address.ts';
import { describeExecution } from '../agents/execution.ts';
import type { Execution } from '../agents/execution.ts';
import { readRecord } from '../agents/record.ts';
import { agentMemo, agentSearchAttributes, agentSummary, buildSpec, machineName } from '../agents/spec.ts';
import { inTime } from '../agents/temporal.ts';
import { dropText } from '../agents/texts.ts';
import type { ServerParts } from '../parts.ts';
import type { Answer, Call, Handler } from './handler.ts';

/**
 * A worker that died with a task in its hands holds it for so long. Replaying a history of ours takes well below a
 * second, also on a loaded machine; a timeout only means that another worker does it again.
 */
const WORKFLOW_TASK_TIMEOUT = '5s';

export const spawn: Handler<'spawn'> = async (parts, input, call) => {
  const agent = newAgent(parts, call, input);
  const record = await readRecord(parts, agent.id);
  if (record !== undefined) {
    // The caller asks again after an answer that got lost, and the agent has been quick.
    if (record.spec.spawn_id === call.id) return answerOf(agent, call);
    throw ended(agent, record.status.phase);
  }
  const spec = await buildSpec(parts, agent, input, call);
  try {
    if (spec.secrets !== undefined) await parts.secrets.put(spec.secrets.ref, input.secrets);
    await start(parts, agent, spec);
  } catch (error) {
    await settle(parts, agent, spec, error);
  }
  return answerOf(agent, call);
};

/** Throws INVALID_ARGUMENT with the slug as typed. */
function newAgent(
  parts: ServerParts,
  call: Call,
  input: { readonly slug: string; readonly workspace?: string | undefined },
): AgentAddress {
  const problem = slugProblem(input.slug);
  if (problem !== undefined) {
    throw new MurmurError('INVALID_ARGUMENT', problem, { details: { field: 'slug', value: input.slug } });
  }
  const workspace = workspaceOf(parts, input.workspace);
  return addressOfIdentity({ workspace, account: call.account, path: [input.slug] });
}

async function start(parts: ServerParts, agent: AgentAddress, spec: AgentSpec): Promise<void> {
  await inTime(parts, () =>
    parts.temporal.workflow.start(AGENT_WORKFLOW, {
      workflowId: agent.id,
      taskQueue: parts.settings.taskQueue,
      args: [spec],
      // A slug is used once: its branch, its conversation and its record belong to one agent.
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      memo: { ...agentMemo(spec) },
      typedSearchAttributes: agentSearchAttributes(spec),
      staticSummary: agentSummary(spec),
    }),
  );
}

/** After a start that failed: returns when the agent was started by this very call, else cleans up and throws. */
async function settle(parts: ServerParts, agent: AgentAddress, spec: AgentSpec, error: unknown): Promise<void> {
  // When Temporal does not answer this either, what was stored stays: the agent may have been started with it.
  const execution = await describeExecution(parts, agent);
  if (execution?.memo.spawn_id === spec.spawn_id) return;
  await discard(parts, spec);
  throw error instanceof WorkflowExecutionAlreadyStartedError ? taken(agent, execution) : error;
}

function taken(agent: AgentAddress, execution: Execution | undefined): MurmurError {
  if (execution?.closed === true) return ended(agent, execution.phase);
  return new MurmurError('ALREADY_EXISTS', `agent ${JSON.stringify(agent.path)} is already running`, {
    hint: `send it a follow-up with \`murmur queue add ${agent.slug}\``,
    details: { slug: agent.slug, path: agent.path },
  });
}

async function discard(parts: ServerParts, spec: AgentSpec): Promise<void> {
  if (spec.secrets !== undefined) await parts.secrets.delete(spec.secrets.ref);
  await dropText(parts, spec.prompt);
  await dropText(parts, spec.append_system_prompt);
}

function answerOf(agent: AgentAddress, call: Call): Answer<'spawn'> {
  return {
    slug: agent.slug,
    workspace: agent.identity.workspace,
    path: agent.path,
    phase: 'starting',
    vm: machineName(agent.id, call.id),
  };
}
