// Runs a Temporal worker and restarts it with a new connection after a failure.
import { setTimeout as delay } from 'node:timers/promises';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { NativeConnectionOptions, WorkerOptions } from '@temporalio/worker';
import type { AgentActivities } from '../contract/wire/activities.ts';
import type { FanoutActivities } from '../contract/wire/fanout/messages.ts';
import type { FlightActivities } from '../contract/wire/flight/messages.ts';
import { referenceCodec } from './reference-codec.ts';

export interface AgentWorkerOptions {
  readonly connection: NativeConnectionOptions;
  readonly namespace: string;
  readonly taskQueue: string;
  /** Path of the workflow bundle. */
  readonly bundle: string;
  readonly activities: AgentActivities & FanoutActivities & FlightActivities;
  /** Traces of workflows and activities. When absent, there are none. */
  readonly traces?: Pick<WorkerOptions, 'interceptors' | 'sinks'>;
  /** Runs before each start of polling, after Temporal has answered. After an error, the start is retried. */
  readonly prepare: () => Promise<void>;
  /** Stops the worker: it hands over turns, and short activities end. */
  readonly stop: AbortSignal;
  readonly report: WorkerReport;
}

export interface WorkerReport {
  polling(): void;
  brokeDown(error: unknown): void;
}

/** Pause between attempts to reach Temporal. Short, because agents wait for it; one attempt a second is no load. */
const TRY_AGAIN_MS = 1_000;

/**
 * Runs until `stop` aborts. Retries for ever while Temporal is down or restarts: without a worker, living agents could
 * not continue.
 */
export async function runAgentWorker(options: AgentWorkerOptions): Promise<void> {
  while (!options.stop.aborted) {
    try {
      await runOnce(options);
    } catch (error) {
      if (options.stop.aborted) return;
      options.report.brokeDown(error);
      await delay(TRY_AGAIN_MS, undefined, { signal: options.stop }).catch(() => undefined);
    }
  }
}

async function runOnce(options: AgentWorkerOptions): Promise<void> {
  const { stop, report } = options;
  const connection = await NativeConnection.connect(options.connection);
  try {
    await options.prepare();
    const worker = await Worker.create({ ...tuning, ...workerOptions(options), connection });
    const shutDown = (): void => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    };
    const running = worker.run();
    report.polling();
    stop.addEventListener('abort', shutDown, { once: true });
    if (stop.aborted) shutDown();
    try {
      await running;
    } finally {
      stop.removeEventListener('abort', shutDown);
    }
  } finally {
    // Closing a connection to a dead server may fail.
    await connection.close().catch(() => undefined);
  }
}

function workerOptions({ namespace, taskQueue, bundle, activities, traces }: AgentWorkerOptions): WorkerOptions {
  return {
    namespace,
    taskQueue,
    workflowBundle: { codePath: bundle },
    activities: { ...activities },
    dataConverter: { payloadCodecs: [referenceCodec] },
    ...(traces ?? UNTRACED),
  };
}

/** Workflows that were started with a trace call this sink, also on a worker without telemetry. */
const UNTRACED = { sinks: { murmurTrace: { reached: { fn: () => undefined, callDuringReplay: false } } } };

const tuning = {
  // Turns mostly wait for a model, and memory (about 230 MB each) limits them long before this. With the SDK's default
  // of 100, a hundred turns would block every interrupt and kill.
  maxConcurrentActivityTaskExecutions: 1_000,
  // Workflow tasks take milliseconds, so more than these defaults would only cost memory.
  maxConcurrentWorkflowTaskExecutions: 40,
  maxConcurrentLocalActivityExecutions: 200,
  // Idle agents need no cache. A cached workflow takes some 100 KB; replaying another one takes a few ms.
  maxCachedWorkflows: 300,
  reuseV8Context: true,
  // After a worker dies, its sticky workflow tasks are reassigned after this time. Measured: 1.2 s instead of 10 s.
  stickyQueueScheduleToStartTimeout: '1s',
  // By default, heartbeats are sent at 80 % of the timeout, too late for a handover or a cancellation.
  maxHeartbeatThrottleInterval: '1s',
  defaultHeartbeatThrottleInterval: '1s',
  // Time for short activities. Turns are handed over at once.
  shutdownGraceTime: '10s',
  // The process must end. Activities that are still running then time out.
  shutdownForceTime: '13s',
} satisfies Partial<WorkerOptions>;
