// Starts agents for fan-outs, over a client.
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { AgentSpec } from '../contract/wire/agent.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import type { ErrorBody } from '../contract/wire/errors.ts';
import { absolutePathOf } from '../contract/wire/identity.ts';
import type { AgentIdentity } from '../contract/wire/identity.ts';
import { SEARCH_ATTRIBUTES } from '../contract/wire/messages.ts';
import { closingPhase } from './closing.ts';
import { countTree } from './find.ts';
import { describeWorkflow, startAgent } from './start.ts';

/** Starts agents, and reads their state from Temporal. */
export interface AgentStarter {
  /**
   * Resolves when Temporal has the agent. Idempotent per spawn. A child is started by its parent. Throws ALREADY_EXISTS
   * or FAILED_PRECONDITION for a slug that is or was in use, and NOT_FOUND or FAILED_PRECONDITION if the parent has
   * ended or is ending. Other errors are retryable.
   */
  start(spec: AgentSpec): Promise<void>;
  /** Counts the living agents of this subtree. */
  countTree(root: AgentIdentity): Promise<number>;
  /** Whether the agent, by its workflow id, has ended, or is neither starting nor running. */
  rests(agent: string): Promise<boolean>;
}

/**
 * Limit of one call to Temporal, in milliseconds. If a parent does not answer, the next attempt sends the update again.
 */
const CALL_MS = 10_000;

/** Phases in which an agent holds its slot. */
const BUSY: readonly unknown[] = ['starting', 'running'];

/** Starts root agents on the task queue, and children through their parents. */
export function createAgentStarter(client: Client, taskQueue: string): AgentStarter {
  const inTime = <T>(act: () => Promise<T>): Promise<T> => client.withDeadline(Date.now() + CALL_MS, act);
  return {
    async start(spec) {
      const refused = await startAgent({ client, taskQueue, inTime }, spec);
      if (refused !== undefined) throw refusalOf(refused.cause, spec) ?? refused.cause;
    },
    countTree: (root) => inTime(() => countTree(client, root)),
    async rests(agent) {
      const known = await inTime(() => describeWorkflow(client, agent));
      if (known === undefined || closingPhase(known.status.name) !== undefined) return true;
      const attributes = known.searchAttributes as Readonly<Record<string, readonly unknown[] | undefined>>;
      return !BUSY.includes(attributes[SEARCH_ATTRIBUTES.phase]?.[0] ?? 'starting');
    },
  };
}

/** Converts a permanent refusal; undefined for a retryable error. */
function refusalOf(error: unknown, spec: AgentSpec): MurmurError | undefined {
  const path = absolutePathOf(spec.identity);
  if (error instanceof WorkflowExecutionAlreadyStartedError) {
    return new MurmurError('ALREADY_EXISTS', `agent ${JSON.stringify(path)} exists already`, { details: { path } });
  }
  if (error instanceof WorkflowNotFoundError) {
    return new MurmurError('NOT_FOUND', `the parent of ${JSON.stringify(path)} has ended`, { details: { path } });
  }
  if (!(error instanceof WorkflowUpdateFailedError)) return undefined;
  const { cause } = error;
  const body = cause instanceof ApplicationFailure ? (cause.details?.[0] as ErrorBody | undefined) : undefined;
  return body === undefined ? undefined : MurmurError.fromBody(body, error);
}
