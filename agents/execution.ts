// What Temporal knows of an agent without asking a worker: memo, search attributes and whether it is closed.
import { WorkflowNotFoundError } from '@temporalio/client';
import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { AgentMemo } from '../contract/wire/messages.ts';
import { SEARCH_ATTRIBUTES } from '../contract/wire/messages.ts';
import { isTerminal, parsePhase } from '../contract/wire/phases.ts';
import type { Phase } from '../contract/wire/phases.ts';
import type { AgentPlatform } from './platform.ts';
import type { AgentAddress } from './names.ts';
import { inTime, workflowOf } from './temporal.ts';

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

/** Undefined when Temporal does not know it, or no longer. */
export async function describeExecution(parts: AgentPlatform, agent: AgentAddress): Promise<Execution | undefined> {
  try {
    return readExecution(await inTime(parts, () => workflowOf(parts, agent).describe()));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Reads a description or a row of a list. */
export function readExecution(info: Listed): Execution {
  const closed = info.status.name !== 'RUNNING';
  return {
    id: info.workflowId,
    closed,
    phase: phaseOf(info, closed),
    memo: info.memo ?? {},
    startedAt: info.startTime,
    closedAt: info.closeTime,
  };
}

function phaseOf(info: Pick<Listed, 'status' | 'searchAttributes'>, closed: boolean): Phase {
  const attributes = info.searchAttributes as Readonly<Record<string, readonly unknown[] | undefined>>;
  const shown = attributes[SEARCH_ATTRIBUTES.phase]?.[0];
  const said = (typeof shown === 'string' ? parsePhase(shown) : undefined) ?? 'starting';
  if (!closed || isTerminal(said)) return said;
  // It ended before it could say how: an operator terminated or cancelled it, or it failed.
  if (info.status.name === 'COMPLETED') return 'completed';
  return info.status.name === 'TERMINATED' || info.status.name === 'CANCELLED' ? 'canceled' : 'failed';
}
