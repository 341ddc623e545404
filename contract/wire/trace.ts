// Trace context of a call, in the header of W3C Trace Context that Temporal's OpenTelemetry interceptors use.

/** Header of a workflow, signal, update or activity. The name is that of `@temporalio/interceptors-opentelemetry`. */
export const TRACE_HEADER = '_tracer-data';

/** Content of the header. */
export interface TraceCarrier {
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** A call to a workflow, as the workflow's interceptor reports it to the worker. */
export interface ReachedWorkflow {
  /** Such as `HandleSignal:queueAdd`. */
  readonly name: string;
  /** Of the caller. */
  readonly parent: TraceCarrier;
  /** Chosen in the workflow, because later spans name it as their parent. */
  readonly spanId: string;
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Undefined unless the text is a `traceparent` of version 00. */
export function parseTraceparent(
  text: string | undefined,
): { readonly traceId: string; readonly spanId: string; readonly flags: number } | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(text ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

/** The inverse of `parseTraceparent`. */
export function formatTraceparent(traceId: string, spanId: string, flags: number): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
}
