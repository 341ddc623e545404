// One Temporal worker from its connection to its end, and again when it breaks down.
import { setTimeout as delay } from 'node:timers/promises';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { NativeConnectionOptions, WorkerOptions } from '@temporalio/worker';
import type { AgentActivities } from '../contract/wire/activities.ts';
import type { FanoutActivities } from '../contract/wire/fanout/messages.ts';
import type { FlightActivities } from '../contract/wire/flight/messages.ts';

export interface AgentWorkerOptions {
  readonly connection: NativeConnectionOptions;
  readonly namespace: string;
  readonly taskQueue: string;
  /** Path of the workflow bundle. */
  readonly bundle: string;
  readonly activities: AgentActivities & FanoutActivities & FlightActivities;
  /** Traces of workflows and activities; absent: none are made. */
  readonly traces?: Pick<WorkerOptions, 'interceptors' | 'sinks'>;
  /** Done each time before it begins to poll, when Temporal has answered; what it throws is tried again. */
  readonly prepare: () => Promise<void>;
  /** Ends the worker: turns are handed over, short activities end. */
  readonly stop: AbortSignal;
  readonly report: WorkerReport;
}

export interface WorkerReport {
  polling(): void;
  brokeDown(error: unknown): void;
}

/** Between two tries to reach Temporal. Agents wait for it, so it is short; the server is not flooded by one a second. */
const TRY_AGAIN_MS = 1_000;

/**
 * Runs until `stop` aborts. A Temporal server that is down, or is started again, never ends it: it tries until it
 * succeeds, as agents that live on would otherwise have nobody.
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
    // A connection to a server that is gone may not close in good order.
    await connection.close().catch(() => undefined);
  }
}

function workerOptions({ namespace, taskQueue, bundle, activities, traces }: AgentWorkerOptions): WorkerOptions {
  return {
    namespace,
    taskQueue,
    workflowBundle: { codePath: bundle },
    activities: { ...activities },
    ...(traces ?? UNTRACED),
  };
}

/** A workflow that was started with a trace reports to this sink, also to a worker that makes no traces. */
const UNTRACED = { sinks: { murmurTrace: { reached: { fn: () => undefined, callDuringReplay: false } } } };

const tuning = {
  // Turns wait for a model most of their time and are limited by memory (about 230 MB each) long before this. With the
  // SDK's 100, a hundred turns would starve every interrupt and kill.
  maxConcurrentActivityTaskExecutions: 1_000,
  // A workflow task takes milliseconds; more at once than the two defaults only costs memory.
  maxConcurrentWorkflowTaskExecutions: 40,
  maxConcurrentLocalActivityExecutions: 200,
  // Agents that are at rest need no cache; a cached one takes some 100 KB, and one that is not is replayed in a few ms.
  maxCachedWorkflows: 300,
  reuseV8Context: true,
  // After the death of a worker the next workflow task waits this long for it: 1.2 s instead of 10 s, measured.
  stickyQueueScheduleToStartTimeout: '1s',
  // Heartbeats are sent at 80 % of the timeout by default, too late for a handover's and a cancellation's sake.
  maxHeartbeatThrottleInterval: '1s',
  defaultHeartbeatThrottleInterval: '1s',
  // For short activities; turns are handed over at once.
  shutdownGraceTime: '10s',
  // An activity that does not end after that is left to its timeout; the process must end.
  shutdownForceTime: '13s',
} satisfies Partial<WorkerOptions>;
