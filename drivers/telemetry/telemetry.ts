// The interface of a process to traces and metrics. Types only.
import type { IncomingHttpHeaders } from 'node:http';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';

/** A request to the process. */
export interface ReceivedCall {
  readonly method: string;
  /** The route's pattern, never the requested path. */
  readonly route: string;
  readonly headers: IncomingHttpHeaders;
}

/** The span of a received call. */
export interface CallSpan {
  /** Runs the work within the span: its calls become child spans. */
  within<Result>(work: () => Result): Result;
  /** @param status HTTP status of the answer */
  end(status: number): void;
}

export interface Telemetry extends AsyncDisposable {
  /** For the client to Temporal: starts, signals and updates carry the trace. */
  readonly workflowClient: WorkflowClientInterceptor[];
  /** For the Temporal worker: spans of workflows and activities. */
  readonly worker: Pick<WorkerOptions, 'interceptors' | 'sinks'>;
  /** Starts the span of a call, in the caller's trace if the call names one. */
  receive(call: ReceivedCall): CallSpan;
}

/** The process's name in traces. */
export interface TelemetrySource {
  readonly service: 'murmur-server' | 'murmur-worker';
  readonly version: string;
}
