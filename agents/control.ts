// Messages from one agent's activity to another agent's workflow.
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { UsageReport } from '../contract/wire/budget.ts';
import type { AgentResult } from '../contract/wire/agent.ts';
import { executeUpdate } from './temporal.ts';
import type { AgentUpdates, KillOrder } from '../contract/wire/messages.ts';

/** Messages to other agents, past their parents and children. */
export interface AgentControl {
  /** Resolves once the signal is durable, or there is no such living agent. */
  signal(agent: string, name: 'kill', order: KillOrder): Promise<void>;
  /** What its running turn has used; answers at which amount to tell again. */
  reportUsage(agent: string, usage: UsageReport): Promise<{ readonly report_at_usd?: number }>;
  /** What the agent answered at its end; undefined when it ended without an answer, or had not when `until` aborts. */
  result(agent: string, until: AbortSignal): Promise<AgentResult | undefined>;
}

/** Twice what a workflow task has that a worker took and lost; the next message of the model then tells it again. */
const REPORT_MS = 20_000;

/** Control over a client. Errors are the SDK's; the activity that asked is tried again. */
export function createAgentControl(client: Client): AgentControl {
  return {
    async signal(agent, name, order) {
      try {
        await client.workflow.getHandle(agent).signal(name, order);
      } catch (error) {
        // It has ended in the meantime.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
    async reportUsage(agent, usage) {
      return await client.withDeadline(Date.now() + REPORT_MS, () =>
        executeUpdate<AgentUpdates['reportUsage']['output']>(client.workflow.getHandle(agent), 'reportUsage', {
          args: [usage],
        }),
      );
    },
    async result(agent, until) {
      // The SDK listens for the abort alone: a signal that has aborted before would never end the call.
      if (until.aborted) return undefined;
      const { promise: late, resolve } = Promise.withResolvers<undefined>();
      const stop = (): void => {
        resolve(undefined);
      };
      until.addEventListener('abort', stop, { once: true });
      // With the signal, so that the long poll ends with it and not with the agent.
      const ending = client
        .withAbortSignal(until, async () => (await client.workflow.getHandle(agent).result()) as AgentResult)
        .catch(() => undefined);
      try {
        return await Promise.race([ending, late]);
      } finally {
        until.removeEventListener('abort', stop);
      }
    },
  };
}
