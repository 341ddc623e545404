// The spec of an agent that was started before.
import { isGrpcServiceError } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { ServerParts } from '../parts.ts';
import type { AgentAddress } from './address.ts';
import { readRecord } from './record.ts';
import { inTime } from './temporal.ts';

/** gRPC's number for an execution that Temporal does not know, or no longer. */
const NOT_FOUND = 5;

/**
 * What the agent was started with; of one whose history is gone, what its record keeps. Undefined for one that never was.
 * One question to Temporal, some 2 ms. Throws the SDK's errors, UNAVAILABLE when Temporal is silent.
 */
export async function specOf(
  parts: ServerParts,
  agent: AgentAddress,
): Promise<Pick<AgentSpec, 'identity' | 'repos' | 'allow_repos'> | undefined> {
  return (await startedWith(parts, agent)) ?? (await readRecord(parts, agent.id))?.spec;
}

/** The input of its current run: each run is started with the spec. */
async function startedWith(parts: ServerParts, { id }: AgentAddress): Promise<AgentSpec | undefined> {
  const { namespace } = parts.settings.temporal;
  try {
    const { history } = await inTime(parts, () =>
      parts.temporal.workflowService.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId: id },
        maximumPageSize: 1,
      }),
    );
    const input = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    return input == null ? undefined : defaultPayloadConverter.fromPayload<AgentSpec>(input);
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return undefined;
    throw error;
  }
}
