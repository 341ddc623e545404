// Spans of HTTP requests that are made within a span, such as an activity's calls to a runner. Uses Node's diagnostics
// channels, so that the clients need no tracing code.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Span, Tracer } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';

interface Message {
  readonly request: ClientRequest;
  readonly response?: IncomingMessage;
}

/** Starts tracing; the returned function stops it. A request gets the `traceparent` header of its span. */
export function traceHttpClient(tracer: Tracer): () => void {
  const spans = new WeakMap<ClientRequest, Span>();
  const created = (message: unknown): void => {
    const { request } = message as Message;
    const active = context.active();
    // Skips the exporters' own requests, and requests outside of a span.
    if (isTracingSuppressed(active) || trace.getSpan(active) === undefined || request.headersSent) return;
    const path = request.path.split('?', 1)[0] ?? '';
    const attributes = { 'http.request.method': request.method, 'url.path': path };
    const span = tracer.startSpan(`${request.method} ${path}`, { kind: SpanKind.CLIENT, attributes });
    spans.set(request, span);
    propagation.inject(trace.setSpan(active, span), request, {
      set: (carrier: ClientRequest, name, value) => void carrier.setHeader(name, value),
    });
  };
  const answered = (message: unknown): void => {
    const { request, response } = message as Message;
    const span = spans.get(request);
    span?.setAttribute('http.response.status_code', response?.statusCode ?? 0);
    span?.end();
  };
  const failed = (message: unknown): void => {
    const span = spans.get((message as Message).request);
    span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
  };
  const listeners = [
    ['http.client.request.created', created],
    ['http.client.response.finish', answered],
    ['http.client.request.error', failed],
  ] as const;
  for (const [channel, listener] of listeners) subscribe(channel, listener);
  return () => {
    for (const [channel, listener] of listeners) unsubscribe(channel, listener);
  };
}
