// Signals and updates to an agent's workflow.
import type { AgentSignals, AgentUpdates } from '../contract/wire/messages.ts';
import { executeUpdate } from './updates.ts';
import type { AgentPlatform } from './platform.ts';
import { explainRefusal } from './absence.ts';
import type { AgentAddress } from './names.ts';
import { inTime, workflowOf } from './temporal.ts';

/**
 * Sends a signal; once this resolves it is not lost. Throws NOT_FOUND for an unknown agent and FAILED_PRECONDITION for
 * one that has ended.
 */
export async function signalAgent<Name extends keyof AgentSignals>(
  parts: AgentPlatform,
  agent: AgentAddress,
  name: Name,
  payload: AgentSignals[Name],
): Promise<void> {
  try {
    await inTime(parts, () => workflowOf(parts, agent).signal<[AgentSignals[Name]]>(name, payload));
  } catch (error) {
    await explainRefusal(parts, agent, error);
  }
}

/**
 * Asks the workflow to change something and waits for its answer. The id makes asking again harmless. Throws the
 * errors of `signalAgent`, those of the workflow, and UNAVAILABLE when no worker answers.
 */
export async function updateAgent<Name extends keyof AgentUpdates>(
  parts: AgentPlatform,
  agent: AgentAddress,
  name: Name,
  payload: AgentUpdates[Name]['input'],
  id: string,
): Promise<AgentUpdates[Name]['output']> {
  const ask = (): Promise<AgentUpdates[Name]['output']> =>
    executeUpdate(workflowOf(parts, agent), name, { args: [payload], updateId: id });
  try {
    return await inTime(parts, ask, parts.timing.update);
  } catch (error) {
    return await explainRefusal(parts, agent, error);
  }
}
