// Passes the trace of a call on to what the workflow does because of it. Part of every bundle: without a header it does
// nothing. Only values are passed on and no promise is wrapped, so that a history replays the same with and without
// traces (ADR 24).
import type { Headers } from '@temporalio/common';
import { defaultPayloadConverter, proxySinks, workflowInfo } from '@temporalio/workflow';
import type { Sinks, WorkflowInterceptors } from '@temporalio/workflow';
import { formatTraceparent, parseTraceparent, TRACE_HEADER } from '../contract/wire/trace.ts';
import type { ReachedWorkflow, TraceCarrier } from '../contract/wire/trace.ts';

/** Answered by the worker (drivers/telemetry). */
export interface TraceSinks extends Sinks {
  readonly murmurTrace: {
    reached(call: ReachedWorkflow): void;
  };
}

const { murmurTrace } = proxySinks<TraceSinks>();

/**
 * Makes the interceptors of one workflow. An activity, a child and a next run belong to the trace of the latest
 * external call: the start, a signal or an update.
 */
export function interceptors(): WorkflowInterceptors {
  let latest: Headers = {};
  let calls = 0;

  const reach = (name: string, headers: Headers): void => {
    const header = headers[TRACE_HEADER];
    if (header === undefined) return;
    const parent = defaultPayloadConverter.fromPayload<TraceCarrier>(header);
    const context = parseTraceparent(parent.traceparent);
    if (context === undefined) return;
    calls += 1;
    const spanId = spanIdOf(workflowInfo().runId, calls);
    const traceparent = formatTraceparent(context.traceId, spanId, context.flags);
    latest = { [TRACE_HEADER]: defaultPayloadConverter.toPayload({ ...parent, traceparent }) };
    murmurTrace.reached({ name, parent, spanId });
  };
  const passOn = <Input extends { readonly headers: Headers }>(input: Input): Input => ({
    ...input,
    headers: { ...input.headers, ...latest },
  });

  return {
    inbound: [
      {
        execute: (input, next) => {
          reach(`RunWorkflow:${workflowInfo().workflowType}`, input.headers);
          return next(input);
        },
        handleSignal: (input, next) => {
          reach(`HandleSignal:${input.signalName}`, input.headers);
          return next(input);
        },
        handleUpdate: (input, next) => {
          reach(`HandleUpdate:${input.name}`, input.headers);
          return next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(passOn(input)),
        scheduleLocalActivity: (input, next) => next(passOn(input)),
        startChildWorkflowExecution: (input, next) => next(passOn(input)),
        continueAsNew: (input, next) => next(passOn(input)),
      },
    ],
  };
}

/**
 * Not from the workflow's random numbers: drawing one would change those that the workflow draws after it. The last
 * digits of a run's id are random; the first are a time.
 */
function spanIdOf(runId: string, call: number): string {
  const hex = runId.replaceAll('-', '');
  return `${hex.slice(-10)}${call.toString(16).padStart(6, '0').slice(-6)}`;
}
