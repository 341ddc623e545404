// Questions to an agent's workflow, and the ways in which they stay without an answer.
import { QueryNotRegisteredError, QueryRejectedError } from '@temporalio/client';
import type { AgentQueries } from '../contract/wire/messages.ts';
import type { AgentPlatform } from './platform.ts';
import { isNotFound } from './temporal-errors.ts';
import type { AgentAddress } from './names.ts';
import { inTime, workflowOf } from './temporal.ts';

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
  parts: AgentPlatform,
  agent: AgentAddress,
  name: Name,
  input: AgentQueries[Name]['input'],
): Promise<QueryReply<AgentQueries[Name]['output']>> {
  const ask = (): Promise<AgentQueries[Name]['output']> =>
    workflowOf(parts, agent).query<AgentQueries[Name]['output'], [AgentQueries[Name]['input']]>(name, input);
  try {
    return { kind: 'answer', answer: await inTime(parts, ask, parts.timing.query) };
  } catch (error) {
    if (error instanceof QueryRejectedError) return { kind: 'closed' };
    if (error instanceof QueryNotRegisteredError) return { kind: 'refused', reason: error.message };
    return { kind: isNotFound(error) ? 'absent' : 'silent' };
  }
}
