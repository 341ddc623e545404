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

/** Starts agents, and looks at what Temporal lists of them. */
export interface AgentStarter {
  /**
   * Resolves once Temporal has the agent, also when this very spawn has started it before. A child is started by its
   * parent. Throws ALREADY_EXISTS or FAILED_PRECONDITION for a slug that is or was in use, NOT_FOUND or
   * FAILED_PRECONDITION for a child whose parent has ended or ends; other errors mean that it should be tried again.
   */
  start(spec: AgentSpec): Promise<void>;
  /** How many agents live from this one down. */
  countTree(root: AgentIdentity): Promise<number>;
  /** Whether the agent, by its workflow id, has ended or is listed in a phase that is neither starting nor running. */
  rests(agent: string): Promise<boolean>;
}

/** Of one call to Temporal: a parent that does not answer in time is asked again by the next attempt. */
const CALL_MS = 10_000;

/** Phases in which an agent holds its slot. */
const BUSY: readonly unknown[] = ['starting', 'running'];

/** A starter of root agents on a task queue, and of children by their parents. */
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

/** What a refusal means; undefined for what may be different the next time. */
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
