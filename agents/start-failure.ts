// Why a starting agent is not ready yet.
import type { AgentAddress } from './names.ts';
import type { AgentPlatform } from './platform.ts';
import { inTime, workflowOf } from './temporal.ts';

/**
 * The error of the last failed attempt to start, which Temporal repeats. Undefined before the first failure. Throws the
 * SDK's errors.
 */
export async function startFailureOf(platform: AgentPlatform, agent: AgentAddress): Promise<string | undefined> {
  const { raw } = await inTime(platform, () => workflowOf(platform, agent).describe());
  // A starting agent has one activity, which makes its machine and clones its repositories.
  const failed = raw.pendingActivities?.find(({ lastFailure }) => (lastFailure?.message ?? '') !== '');
  const message = failed?.lastFailure?.message ?? undefined;
  if (message === undefined) return undefined;
  return `attempt ${String((failed?.attempt ?? 2) - 1)} to start failed: ${message}; the next one follows by itself`;
}
