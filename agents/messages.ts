// Signals, updates and queries to an agent's workflow.
import { QueryNotRegisteredError, QueryRejectedError } from '@temporalio/client';
import type { AgentQueries, AgentSignals, AgentUpdates } from '../contract/wire/messages.ts';
import { explainRefusal } from './find.ts';
import type { AgentAddress } from './names.ts';
import type { AgentPlatform } from './platform.ts';
import { executeUpdate, inTime, isNotFound, workflowOf } from './temporal.ts';

/**
 * Sends a signal; once this resolves it is not lost. Throws NOT_FOUND for an unknown agent and FAILED_PRECONDITION for
 * one that has ended.
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
 * Asks the workflow to change something and waits for its answer. The id makes asking again harmless. Throws the
 * errors of `signalAgent`, those of the workflow, and UNAVAILABLE when no worker answers.
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

/** The workflow's answer, or why there is none. */
export type QueryReply<Answer> =
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** The workflow answered with an error. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The workflow is closed: the client asks open ones only (temporal-client.ts). */
  | { readonly kind: 'closed' }
  /** Temporal does not know the workflow, or no longer. */
  | { readonly kind: 'absent' }
  /** No worker answered in time, or Temporal itself did not. */
  | { readonly kind: 'silent' };

/** Asks a workflow. Never throws: every way to fail is a reply. */
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
