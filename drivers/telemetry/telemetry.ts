// What a process does to be traced and measured. Types only.
import type { IncomingHttpHeaders } from 'node:http';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';

/** A request that the process answers. */
export interface ReceivedCall {
  readonly method: string;
  /** The route's pattern, never the caller's text. */
  readonly route: string;
  readonly headers: IncomingHttpHeaders;
}

/** The span of a received call. */
export interface CallSpan {
  /** Runs the work as part of the span: calls that it makes are children. */
  within<Result>(work: () => Result): Result;
  /** @param status HTTP status of the answer */
  end(status: number): void;
}

export interface Telemetry extends AsyncDisposable {
  /** For the client to Temporal: starts, signals and updates carry the trace. */
  readonly workflowClient: WorkflowClientInterceptor[];
  /** For the Temporal worker: spans of workflows and activities. */
  readonly worker: Pick<WorkerOptions, 'interceptors' | 'sinks'>;
  /** Begins the span of a call, in the caller's trace when the call names one. */
  receive(call: ReceivedCall): CallSpan;
}

/** What the process is called in traces. */
export interface TelemetrySource {
  readonly service: 'murmur-server' | 'murmur-worker';
  readonly version: string;
}
