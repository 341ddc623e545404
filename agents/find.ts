// Finds an agent: its workflow, its place in a fan-out, or its record. And the errors for an agent that does not exist
// or cannot receive messages.
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import type { AgentResult, AgentSpec } from '../contract/wire/agent.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { plannedSpawnId } from '../contract/wire/fanout/plan.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import type { AgentIdentity } from '../contract/wire/identity.ts';
import { AGENT_WORKFLOW, SEARCH_ATTRIBUTES } from '../contract/wire/messages.ts';
import type { AgentMemo } from '../contract/wire/messages.ts';
import { isTerminal, parsePhase } from '../contract/wire/phases.ts';
import type { Phase, TerminalPhase } from '../contract/wire/phases.ts';
import { findWaiting, waitsForSlot } from './fanouts/plans.ts';
import type { Waiting } from './fanouts/plans.ts';
import type { AgentAddress } from './names.ts';
import type { AgentPlatform } from './platform.ts';
import { closingPhase, LIVING } from './closing.ts';
import { readRecord } from './record.ts';
import { readSealedSpec } from './sealed.ts';
import { inTime, isNotFound, workflowOf } from './temporal.ts';

/**
 * The agent's workflow, open or closed, or its place in a fan-out's plan; undefined if there is neither. Temporal is
 * asked again at the end, because the agent may have got its slot in between.
 */
export async function locateAgent(
  platform: AgentPlatform,
  agent: AgentAddress,
): Promise<{ readonly execution: Execution } | { readonly waiting: Waiting } | undefined> {
  const execution = await describeExecution(platform, agent);
  if (execution !== undefined) return { execution };
  const waiting = await findWaiting(platform, agent);
  if (waiting !== undefined) return { waiting };
  const started = await describeExecution(platform, agent);
  return started === undefined ? undefined : { execution: started };
}

/** An agent's workflow as Temporal lists it. */
export interface Execution {
  readonly id: string;
  readonly closed: boolean;
  readonly phase: Phase;
  readonly memo: Partial<AgentMemo>;
  readonly startedAt: Date;
  readonly closedAt: Date | undefined;
}

type Listed = Pick<WorkflowExecutionInfo, 'workflowId' | 'status' | 'memo' | 'searchAttributes' | 'startTime'> & {
  readonly closeTime?: Date | undefined;
};

/** Undefined if Temporal does not know the workflow (any more). */
export async function describeExecution(platform: AgentPlatform, agent: AgentAddress): Promise<Execution | undefined> {
  try {
    return readExecution(await inTime(platform, () => workflowOf(platform, agent).describe()));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Converts a description or a row of a list. */
export function readExecution(info: Listed): Execution {
  const closing = closingPhase(info.status.name);
  return {
    id: info.workflowId,
    closed: closing !== undefined,
    phase: phaseOf(info, closing),
    memo: info.memo ?? {},
    startedAt: info.startTime,
    closedAt: info.closeTime,
  };
}

function phaseOf(info: Pick<Listed, 'searchAttributes'>, closing: TerminalPhase | undefined): Phase {
  const attributes = info.searchAttributes as Readonly<Record<string, readonly unknown[] | undefined>>;
  const shown = attributes[SEARCH_ATTRIBUTES.phase]?.[0];
  const said = (typeof shown === 'string' ? parsePhase(shown) : undefined) ?? 'starting';
  // One that could not say how it ended was terminated or cancelled by an operator, or failed.
  return closing === undefined || isTerminal(said) ? said : closing;
}

/**
 * Counts the living agents of this subtree. Visibility is some hundred milliseconds behind. Throws the SDK's errors.
 */
export async function countTree(client: Client, top: AgentIdentity): Promise<number> {
  const id = workflowIdOf(top);
  const beneath = `WorkflowId = "${id}" OR WorkflowId STARTS_WITH "${id}/"`;
  const query = `WorkflowType = "${AGENT_WORKFLOW}" AND ${LIVING} AND (${beneath})`;
  return (await client.workflow.count(query)).count;
}

/** The descendants that are living or have ended since the given time. */
export async function listBeneath(
  platform: AgentPlatform,
  top: AgentIdentity,
  endedSince: Date,
): Promise<readonly Execution[]> {
  const prefix = `${workflowIdOf(top)}/`;
  const found = new Map<string, Execution>();
  await inTime(platform, async () => {
    const query = [
      `WorkflowType = "${AGENT_WORKFLOW}"`,
      `WorkflowId STARTS_WITH "${prefix}"`,
      `(${LIVING} OR CloseTime >= "${endedSince.toISOString()}")`,
    ].join(' AND ');
    for await (const info of platform.temporal.workflow.list({ query, pageSize: 1_000 })) {
      // SQLite's comparison ignores case.
      if (info.workflowId.startsWith(prefix)) found.set(info.workflowId, readExecution(info));
    }
  });
  return [...found.values()];
}

export interface AgentLife {
  /** Differs between agents that had the same name one after the other. */
  readonly spawnId: string;
  readonly hasEnded: boolean;
}

/** The agent of that name, living or ended; undefined if there is none. Throws UNAVAILABLE. */
export async function lifeOf(platform: AgentPlatform, agent: AgentAddress): Promise<AgentLife | undefined> {
  const found = await locateAgent(platform, agent);
  if (found === undefined) {
    const record = await readRecord(platform, agent.id);
    return record === undefined ? undefined : { spawnId: record.spec.spawn_id, hasEnded: true };
  }
  if ('waiting' in found) {
    const { known, index } = found.waiting;
    return { spawnId: plannedSpawnId(known.plan.id, index), hasEnded: false };
  }
  const { closed, memo, phase } = found.execution;
  return { spawnId: memo.spawn_id ?? '', hasEnded: closed || isTerminal(phase) };
}

/**
 * The agent's sealed spec; undefined for an unknown agent or one that the API did not start. Throws the SDK's errors,
 * and UNAVAILABLE if Temporal does not answer.
 */
export async function specOf(platform: AgentPlatform, agent: AgentAddress): Promise<AgentSpec | undefined> {
  // The spawn id from Temporal needs no check: only spawns of this installation have a seal.
  const spawnId =
    (await describeExecution(platform, agent))?.memo.spawn_id ?? (await readRecord(platform, agent.id))?.spec.spawn_id;
  return spawnId === undefined ? undefined : await readSealedSpec(platform, agent.id, spawnId);
}

/** The result of an ended agent. Undefined when there is none. */
export async function readResult(platform: AgentPlatform, agent: AgentAddress): Promise<AgentResult | undefined> {
  try {
    return await inTime(platform, async () => (await workflowOf(platform, agent).result()) as AgentResult);
  } catch {
    // The workflow was terminated or failed.
    return undefined;
  }
}

/** Throws NOT_FOUND for an unknown agent, and UNAVAILABLE if there is no record and Temporal does not answer. */
export async function requireAgent(platform: AgentPlatform, agent: AgentAddress): Promise<void> {
  if ((await readRecord(platform, agent.id)) !== undefined) return;
  if ((await locateAgent(platform, agent)) === undefined) throw notFound(agent);
}

/** Converts Temporal's "not found" to FAILED_PRECONDITION or NOT_FOUND; throws other errors unchanged. */
export async function explainRefusal(platform: AgentPlatform, agent: AgentAddress, error: unknown): Promise<never> {
  if (!isNotFound(error)) throw error;
  const record = await readRecord(platform, agent.id);
  if (record !== undefined) throw ended(agent, record.status.phase);
  const found = await locateAgent(platform, agent);
  if (found === undefined) throw notFound(agent);
  if ('waiting' in found) throw waitsForSlot(agent);
  // A living agent has started since the message was rejected.
  throw found.execution.closed ? ended(agent, found.execution.phase) : starts(agent);
}

/** UNAVAILABLE, after which clients retry. */
function starts({ path }: AgentAddress): MurmurError {
  return new MurmurError('UNAVAILABLE', `agent ${JSON.stringify(path)} has just been started`, { hint: 'try again' });
}

/** NOT_FOUND, with the path. */
export function notFound(agent: AgentAddress): MurmurError {
  const typed = agent.slug === agent.path ? '' : ` (slug ${JSON.stringify(agent.slug)})`;
  return new MurmurError('NOT_FOUND', `agent ${JSON.stringify(agent.path)} not found${typed}`, {
    details: { slug: agent.slug, path: agent.path },
  });
}

/** FAILED_PRECONDITION, with the final phase. */
export function ended(agent: AgentAddress, phase: Phase): MurmurError {
  return new MurmurError('FAILED_PRECONDITION', `agent ${JSON.stringify(agent.path)} has ended: it is ${phase}`, {
    hint: 'spawn a new agent under another slug',
    details: { slug: agent.slug, path: agent.path, phase },
  });
}

/** ALREADY_EXISTS, with a hint to send a follow-up instead. */
export function runsAlready(agent: AgentAddress): MurmurError {
  return new MurmurError('ALREADY_EXISTS', `agent ${JSON.stringify(agent.path)} is already running`, {
    hint: `send it a follow-up with \`murmur queue add ${agent.slug}\``,
    details: { slug: agent.slug, path: agent.path },
  });
}
