// Reads what decides whether an agent owns a machine: from Temporal by `describe` and never by visibility, and from the
// object store.
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import type { AgentRecord, AgentResult, AgentSpec, PendingCleanup } from '../../contract/wire/agent.ts';
import { parentOf, parseWorkflowId, workflowIdOf } from '../../contract/wire/identity.ts';
import type { AgentMemo } from '../../contract/wire/messages.ts';
import type { TerminalPhase } from '../../contract/wire/phases.ts';
import type { MachineInfo } from '../../drivers/machines/provider.ts';
import { closingPhase } from '../closing.ts';
import type { MachineOwner } from '../machine.ts';
import { readRecord } from '../record.ts';
import { readSealedSpec } from '../sealed.ts';
import type { SealStores } from '../sealed.ts';
import { describeWorkflow } from '../start.ts';
import { awaitsAncestor, ownershipOf } from './ownership.ts';
import type { AgentExecution, Ownership } from './ownership.ts';

/** Limit of one call to Temporal, in milliseconds. Covers a restart of the dev server, which takes a few seconds. */
const CALL_MS = 10_000;

/** Where the facts are read. */
export interface FactSources extends SealStores {
  readonly client: Client;
  readonly now: () => Date;
}

/** A machine, its ownership, and the facts that ending it needs. */
export interface MachineFinding {
  readonly machine: MachineInfo;
  readonly ownership: Ownership;
  /** When the agent was spawned, ISO 8601; undefined if unknown. */
  readonly spawnedAt?: string;
  /** The agent of a machine that is not owned; undefined if unknown. */
  readonly agent?: ClosedAgent;
}

/** An agent whose machine is still there. */
export interface ClosedAgent {
  readonly id: string;
  readonly spec: AgentSpec;
  /** When and how its workflow closed, if that workflow is known and is of this spawn. */
  readonly closed: { readonly at: Date; readonly phase: TerminalPhase } | undefined;
  /** The pending clean-up in the workflow's result. */
  readonly left: PendingCleanup | undefined;
  /** The record of this spawn. */
  readonly record: AgentRecord | undefined;
  /** Another spawn has the same id by now: record, log and snapshots are that agent's. */
  readonly isReplaced: boolean;
}

/** An execution, and the pending clean-up in its result. */
interface ReadExecution extends AgentExecution {
  readonly phase: TerminalPhase;
  readonly left: PendingCleanup | undefined;
}

/** Reads the facts and decides whose the machine is. Throws the SDK's errors when Temporal does not answer in time. */
export async function findOwner(
  sources: FactSources,
  machine: MachineInfo,
  home: MachineOwner,
): Promise<MachineFinding> {
  const { name, labels } = machine;
  const { agent: id, spawn } = labels;
  const identity = id === undefined ? undefined : parseWorkflowId(id);
  const execution = identity === undefined ? undefined : await readExecution(sources.client, workflowIdOf(identity));
  const known = { name, labels, execution, ancestors: [], recordedSpawn: undefined, sealedAt: undefined };
  const first = ownershipOf(known, home, sources.now());
  if (first.state === 'owned' || first.state === 'foreign' || identity === undefined || spawn === undefined) {
    const spawnedAt = first.state === 'owned' ? execution?.createdAt : undefined;
    return { machine, ownership: first, ...(spawnedAt === undefined ? {} : { spawnedAt }) };
  }
  const agent = workflowIdOf(identity);
  const [ancestors, record, spec] = await Promise.all([
    readAncestors(sources.client, agent, execution),
    readRecord(sources, agent),
    readSealedSpec(sources, agent, spawn),
  ]);
  const recordedSpawn = record?.spec.spawn_id;
  // Read last, so that the ages of the closes are not underestimated.
  const now = sources.now();
  const ownership = ownershipOf({ ...known, ancestors, recordedSpawn, sealedAt: spec?.created_at }, home, now);
  if (spec === undefined) return { machine, ownership };
  const own = execution?.spawnId === spawn ? execution : undefined;
  return {
    machine,
    ownership,
    spawnedAt: spec.created_at,
    agent: {
      id: agent,
      spec,
      closed: own?.closedAt === undefined ? undefined : { at: own.closedAt, phase: own.phase },
      left: own?.left,
      record: recordedSpawn === spawn ? record : undefined,
      isReplaced: [execution?.spawnId, recordedSpawn].some((other) => other !== undefined && other !== spawn),
    },
  };
}

async function readAncestors(
  client: Client,
  agent: string,
  execution: AgentExecution | undefined,
): Promise<readonly (AgentExecution | undefined)[]> {
  const ancestors: (AgentExecution | undefined)[] = [];
  let last = execution;
  for (let id = parentId(agent); id !== undefined && awaitsAncestor(last); id = parentId(id)) {
    last = await readExecution(client, id);
    ancestors.push(last);
  }
  return ancestors;
}

function parentId(agent: string): string | undefined {
  const identity = parseWorkflowId(agent);
  const parent = identity === undefined ? undefined : parentOf(identity);
  return parent === undefined ? undefined : workflowIdOf(parent);
}

/** Undefined when Temporal does not know the agent. */
async function readExecution(client: Client, id: string): Promise<ReadExecution | undefined> {
  const found = await client.withDeadline(Date.now() + CALL_MS, () => describeWorkflow(client, id));
  if (found === undefined) return undefined;
  const { spawn_id: spawnId, created_at: createdAt } = (found.memo ?? {}) as Partial<AgentMemo>;
  const phase = closingPhase(found.status.name);
  const left = phase === 'completed' ? await readLeft(client, found) : undefined;
  return {
    spawnId,
    createdAt,
    isOpen: phase === undefined,
    closedAt: phase === undefined ? undefined : (found.closeTime ?? found.startTime),
    leftMachine: left !== undefined,
    phase: phase ?? 'completed',
    left,
  };
}

/** The clean-up that a completed workflow left to the killed ancestor. */
async function readLeft(
  client: Client,
  { workflowId, runId }: WorkflowExecutionDescription,
): Promise<PendingCleanup | undefined> {
  const handle = client.workflow.getHandle(workflowId, runId, { followRuns: false });
  try {
    const result: unknown = await client.withDeadline(Date.now() + CALL_MS, () => handle.result());
    return (result as Partial<AgentResult> | null | undefined)?.left;
  } catch (error) {
    // Its retention has passed between the two calls.
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
