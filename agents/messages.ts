// Signals, updates and queries to an agent's workflow.
import { QueryNotRegisteredError, QueryRejectedError } from '@temporalio/client';
import type { AgentQueries, AgentSignals, AgentUpdates } from '../contract/wire/messages.ts';
import { explainRefusal } from './find.ts';
import type { AgentAddress } from './names.ts';
import type { AgentPlatform } from './platform.ts';
import { executeUpdate, inTime, isNotFound, workflowOf } from './temporal.ts';

/**
 * Sends a signal. It is durable once this resolves. Throws NOT_FOUND for an unknown agent and FAILED_PRECONDITION for
 * an ended one.
 */
export async function signalAgent<Name extends keyof AgentSignals>(
  platform: AgentPlatform,
  agent: AgentAddress,
  name: Name,
  payload: AgentSignals[Name],
): Promise<void> {
  try {
    await inTime(platform, () => workflowOf(platform, agent).signal<[AgentSignals[Name]]>(name, payload));
  } catch (error) {
    await explainRefusal(platform, agent, error);
  }
}

/**
 * Sends an update and returns its answer. The id makes it idempotent. Throws like `signalAgent`, the workflow's errors,
 * and UNAVAILABLE if no worker answers.
 */
export async function updateAgent<Name extends keyof AgentUpdates>(
  platform: AgentPlatform,
  agent: AgentAddress,
  name: Name,
  payload: AgentUpdates[Name]['input'],
  id: string,
): Promise<AgentUpdates[Name]['output']> {
  const ask = (): Promise<AgentUpdates[Name]['output']> =>
    executeUpdate(workflowOf(platform, agent), name, { args: [payload], updateId: id });
  try {
    return await inTime(platform, ask, platform.timing.update);
  } catch (error) {
    return await explainRefusal(platform, agent, error);
  }
}

/** The answer to a query, or why there is none. */
export type QueryReply<Answer> =
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** The workflow answered with an error. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The workflow is closed; the client only queries open ones (temporal-client.ts). */
  | { readonly kind: 'closed' }
  /** Temporal does not know the workflow (any more). */
  | { readonly kind: 'absent' }
  /** No worker, or not even Temporal, answered in time. */
  | { readonly kind: 'silent' };

/** Queries an agent's workflow. Never throws: a failure is a reply. */
export async function queryAgent<Name extends keyof AgentQueries>(
  platform: AgentPlatform,
  agent: AgentAddress,
  name: Name,
  input: AgentQueries[Name]['input'],
): Promise<QueryReply<AgentQueries[Name]['output']>> {
  const ask = (): Promise<AgentQueries[Name]['output']> =>
    workflowOf(platform, agent).query<AgentQueries[Name]['output'], [AgentQueries[Name]['input']]>(name, input);
  try {
    return { kind: 'answer', answer: await inTime(platform, ask, platform.timing.query) };
  } catch (error) {
    if (error instanceof QueryRejectedError) return { kind: 'closed' };
    if (error instanceof QueryNotRegisteredError) return { kind: 'refused', reason: error.message };
    return { kind: isNotFound(error) ? 'absent' : 'silent' };
  }
}
