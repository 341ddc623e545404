// Traces and metrics over OTLP/HTTP. Without settings nothing of OpenTelemetry is loaded.
import type { IncomingHttpHeaders } from 'node:http';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import type { TelemetrySettings } from '../../config/telemetry.ts';

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

/**
 * Starts to export; undefined without settings. A collector that cannot be reached never disturbs the process. Disposing
 * sends what is left, within 2 s.
 */
export async function openTelemetry(
  settings: TelemetrySettings | undefined,
  source: TelemetrySource,
): Promise<Telemetry | undefined> {
  if (settings === undefined) return undefined;
  const { startExport } = await import('./otlp.ts');
  return startExport(settings, source);
}
