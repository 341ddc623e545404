// Facts from a workflow's history. Imports @temporalio/client's types and bounded.
import type { Client } from '@temporalio/client';
import { until } from '../bounded.ts';

export interface Counts {
  readonly activities: number;
  readonly localActivities: number;
  readonly upserts: number;
  /** Heartbeat timeout of the last scheduled activity, in milliseconds. */
  readonly heartbeatTimeoutMs: number;
}

/** Counts the events that take time. */
export async function countHistory(client: Client, workflowId: string): Promise<Counts> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const scheduled = present(events?.map((event) => event.activityTaskScheduledEventAttributes));
  const heartbeat = scheduled.at(-1)?.heartbeatTimeout;
  return {
    activities: scheduled.length,
    localActivities: present(events?.map((event) => event.markerRecordedEventAttributes)).length,
    upserts: present(events?.map((event) => event.upsertWorkflowSearchAttributesEventAttributes)).length,
    heartbeatTimeoutMs: Number(heartbeat?.seconds ?? 0) * 1_000 + Number(heartbeat?.nanos ?? 0) / 1e6,
  };
}

/** Length of the history after it has grown beyond `longerThan` and no task or activity is open. */
export async function settledLength(client: Client, workflowId: string, longerThan = 0): Promise<number> {
  let before = -1;
  return until(
    async () => {
      const { historyLength, raw } = await client.workflow.getHandle(workflowId).describe();
      const busy = (raw.pendingActivities ?? []).length > 0 || raw.pendingWorkflowTask != null;
      const settled = !busy && historyLength === before && historyLength > longerThan;
      before = historyLength;
      return settled ? historyLength : undefined;
    },
    { everyMs: 50, withinMs: 30_000, what: `quiet in the history of ${workflowId}` },
  );
}

function present<T>(values: readonly (T | null | undefined)[] = []): readonly T[] {
  return values.filter((value): value is T => value != null);
}
