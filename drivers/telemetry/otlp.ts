// OpenTelemetry's SDK with exporters over OTLP/HTTP, and Temporal's interceptors. Loaded only when telemetry is
// configured.
import { setTimeout as delay } from 'node:timers/promises';
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Tracer } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { Resource } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor, RandomIdGenerator } from '@opentelemetry/sdk-trace-base';
import type { IdGenerator } from '@opentelemetry/sdk-trace-base';
import { OpenTelemetryWorkflowClientInterceptor } from '@temporalio/interceptors-opentelemetry/lib/client/index.js';
import { OpenTelemetryActivityInboundInterceptor } from '@temporalio/interceptors-opentelemetry/lib/worker/index.js';
import type { InjectedSinks } from '@temporalio/worker';
import type { TelemetrySettings } from '../../config/telemetry.ts';
import type { ReachedWorkflow } from '../../contract/wire/trace.ts';
import { traceHttpClient } from './http-client.ts';
import type { ReceivedCall, CallSpan, Telemetry, TelemetrySource } from './telemetry.ts';

/** People look for a trace right after a call. The SDK's default, 5 s, is for services with many more spans. */
const EXPORT_DELAY_MS = 1_000;

/** At the end, remaining spans are sent within this time or dropped: the supervisor waits for the process. */
const CLOSE_MS = 2_000;

/** Generates random ids, except for a span whose id a workflow has chosen. */
class SpanIds implements IdGenerator {
  chosen: string | undefined;
  readonly #random = new RandomIdGenerator();

  generateTraceId(): string {
    return this.#random.generateTraceId();
  }

  generateSpanId(): string {
    const { chosen } = this;
    this.chosen = undefined;
    return chosen ?? this.#random.generateSpanId();
  }
}

export function startExport(settings: TelemetrySettings, { service, version }: TelemetrySource): Telemetry {
  const { endpoint, metricIntervalMs } = settings;
  const headers = { ...settings.headers };
  const resource = new Resource({ 'service.name': service, 'service.version': version });
  const idGenerator = new SpanIds();
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, headers });
  const spans = new BasicTracerProvider({
    resource,
    idGenerator,
    spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: EXPORT_DELAY_MS })],
  });
  // Temporal's interceptors use the global context and propagator.
  spans.register({
    contextManager: new AsyncLocalStorageContextManager().enable(),
    propagator: new W3CTraceContextPropagator(),
  });
  const meters = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({ url: `${endpoint}/v1/metrics`, headers }),
        exportIntervalMillis: metricIntervalMs,
        exportTimeoutMillis: metricIntervalMs,
      }),
    ],
  });
  const tracer = spans.getTracer('murmur', version);
  const client = new OpenTelemetryWorkflowClientInterceptor({ tracer });
  const stopTracingHttp = traceHttpClient(tracer);
  return {
    workflowClient: [client],
    worker: {
      interceptors: {
        activity: [(activity) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(activity, { tracer }) })],
      },
      sinks: workflowSinks(tracer, idGenerator),
    },
    receive: receiver(tracer, meters),
    [Symbol.asyncDispose]: async () => {
      stopTracingHttp();
      const closed = Promise.allSettled([spans.shutdown(), meters.shutdown()]);
      await Promise.race([closed, delay(CLOSE_MS, undefined, { ref: false })]);
    },
  };
}

/** These spans have no duration: a workflow lives for days. They show that a call reached the workflow. */
function workflowSinks(tracer: Tracer, ids: SpanIds): InjectedSinks<Record<string, never>> {
  const reached = (
    { runId, workflowId }: { readonly runId: string; readonly workflowId: string },
    { name, parent, spanId }: ReachedWorkflow,
  ): void => {
    ids.chosen = spanId;
    const attributes = { temporalWorkflowId: workflowId, run_id: runId };
    tracer.startSpan(name, { attributes }, propagation.extract(ROOT_CONTEXT, parent)).end();
  };
  return { murmurTrace: { reached: { fn: reached, callDuringReplay: false } } } as never;
}

function receiver(tracer: Tracer, meters: MeterProvider): Telemetry['receive'] {
  const durations = meters.getMeter('murmur').createHistogram('http.server.request.duration', { unit: 's' });
  return ({ headers, method, route }: ReceivedCall): CallSpan => {
    const parent = propagation.extract(ROOT_CONTEXT, headers);
    const attributes = { 'http.request.method': method, 'http.route': route };
    const span = tracer.startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent);
    const begun = performance.now();
    return {
      within: (work) => context.with(trace.setSpan(parent, span), work),
      end: (status) => {
        span.setAttribute('http.response.status_code', status);
        if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
        const seconds = (performance.now() - begun) / 1_000;
        durations.record(seconds, { ...attributes, 'http.response.status_code': status });
      },
    };
  };
}
