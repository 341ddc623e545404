// Messages from an agent's activities to other workflows.
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { UsageReport } from '../contract/wire/budget.ts';
import type { AgentResult } from '../contract/wire/agent.ts';
import { executeUpdate } from './temporal.ts';
import type { AgentUpdates, KillOrder } from '../contract/wire/messages.ts';

/** Sends messages to agents and awaits their results. */
export interface AgentControl {
  /** Resolves when the signal is durable, or if there is no such living agent. */
  signal(agent: string, name: 'kill', order: KillOrder): Promise<void>;
  /** Reports the usage of the agent's running turn. Returns the next reporting threshold. */
  reportUsage(agent: string, usage: UsageReport): Promise<{ readonly report_at_usd?: number }>;
  /** The result of the agent's workflow. Undefined if it ended without one, or has not ended when `until` aborts. */
  result(agent: string, until: AbortSignal): Promise<AgentResult | undefined>;
}

/** Twice the time that a worker lost with its workflow task blocks an update. A failed report is repeated later. */
const REPORT_MS = 20_000;

/** Control over a Temporal client. Throws the SDK's errors; the calling activity is then retried. */
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
      // The SDK only listens for the abort event: with an aborted signal the call would never end.
      if (until.aborted) return undefined;
      const { promise: late, resolve } = Promise.withResolvers<undefined>();
      const stop = (): void => {
        resolve(undefined);
      };
      until.addEventListener('abort', stop, { once: true });
      // The signal ends the long poll; otherwise it would last until the agent's end.
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
