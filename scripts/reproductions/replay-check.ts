// Runs a workflow under load and replays its history, until a replay fails or the time is over.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import type { NativeConnection, WorkerOptions } from '@temporalio/worker';

/** What the workflows of the reproductions call. */
export interface ReproductionActivities {
  pause(ms: number): Promise<void>;
}

/** A Temporal server with a client and a connection for workers. */
export interface Cluster {
  readonly client: Client;
  readonly native: NativeConnection;
  readonly namespace: string;
}

export interface Reproduction {
  /** Exported by workflows.ts. */
  readonly workflow: string;
  /** Puts one execution under the load that shows the defect. Queries are sent at the same time, without a pause. */
  load(handle: WorkflowHandle): Promise<void>;
}

export interface Outcome {
  /** Executions that were run and replayed. */
  readonly executions: number;
  /** The first error of a replay; undefined when every history could be replayed. */
  readonly error: Error | undefined;
}

/** Executions under load at the same time: more keep two cores busy and make the defects likelier. */
const AT_ONCE = 4;

/** Runs until a replay fails or `withinMs` is over, and ends what it started. */
export async function runReproduction(
  { client, namespace, native }: Cluster,
  { load, workflow }: Reproduction,
  withinMs: number,
): Promise<Outcome> {
  const deadline = performance.now() + withinMs;
  const logger = new DefaultLogger('ERROR', () => undefined);
  const { code } = await bundleWorkflowCode({ workflowsPath: join(import.meta.dirname, 'workflows.ts'), logger });
  const activities: ReproductionActivities = { pause: async (ms) => void (await delay(ms)) };
  const options = { namespace, taskQueue: randomUUID(), workflowBundle: { code }, activities: { ...activities } };
  const running = await startWorker({ ...options, connection: native, shutdownForceTime: '5s' });
  try {
    for (let executions = AT_ONCE; ; executions += AT_ONCE) {
      const handles = await Promise.all(
        Array.from({ length: AT_ONCE }, () =>
          client.workflow.start(workflow, { ...options, workflowId: randomUUID() }),
        ),
      );
      await Promise.all(handles.map((handle) => loadWithQueries(handle, load)));
      const error = await firstReplayError(code, handles);
      await Promise.all(handles.map((handle) => handle.terminate()));
      if (error !== undefined || performance.now() > deadline) return { executions, error };
    }
  } finally {
    await running.stop();
  }
}

async function startWorker(options: WorkerOptions): Promise<{ stop(): Promise<void> }> {
  const worker = await Worker.create(options);
  const running = worker.run();
  return {
    stop: async () => {
      worker.shutdown();
      await running;
    },
  };
}

async function loadWithQueries(handle: WorkflowHandle, load: Reproduction['load']): Promise<void> {
  let loaded = false;
  const asking = (async () => {
    // A query fails while the workflow is stuck, which is what is looked for.
    while (!loaded) await handle.query('count').catch(() => undefined);
  })();
  await load(handle);
  loaded = true;
  await asking;
}

async function firstReplayError(code: string, handles: readonly WorkflowHandle[]): Promise<Error | undefined> {
  const histories = await Promise.all(
    handles.map(async (handle) => ({ workflowId: handle.workflowId, history: await handle.fetchHistory() })),
  );
  for await (const { error } of Worker.runReplayHistories({ workflowBundle: { code } }, histories)) {
    if (error !== undefined) return error;
  }
  return undefined;
}
