// The scope of a long activity: heartbeats, cancellation, the shutdown of its worker.
import { CancelledFailure, Context } from '@temporalio/activity';
import { handedOver } from './failure.ts';

/**
 * One of the five seconds after which a worker counts as dead. A cancellation arrives with the answer to a heartbeat.
 */
const HEARTBEAT_MS = 1_000;

export interface HeartbeatOptions {
  /** Heartbeat details for the next attempt. */
  readonly details?: () => unknown;
  /** Aborts when a later attempt has superseded this one. */
  readonly superseded?: AbortSignal;
  /** Milliseconds between two heartbeats, each of which costs Temporal milliseconds. Default: 1,000. */
  readonly heartbeatMs?: number;
}

export interface ActivityScope {
  /** Aborts when this attempt must stop: cancelled, handed over, or superseded by a later attempt. */
  readonly signal: AbortSignal;
  /** Whether the workflow requested the cancellation. A worker's shutdown looks similar but must not end a turn. */
  readonly cancelRequested: boolean;
  /** Aborts only when the workflow requests a cancellation. */
  readonly cancelled: AbortSignal;
  /** The error that the activity must throw after the signal has aborted. */
  reason(): Error;
}

/**
 * Runs the work with heartbeats. When the signal aborts, the work should end soon; its error is replaced by the reason.
 * @param handover aborts when the worker shuts down
 */
export async function withHeartbeat<T>(
  handover: AbortSignal,
  work: (scope: ActivityScope) => Promise<T>,
  options: HeartbeatOptions = {},
): Promise<T> {
  const { details = () => undefined, heartbeatMs = HEARTBEAT_MS, superseded } = options;
  const context = Context.current();
  const { cancellationSignal } = context;
  const signal = AbortSignal.any([handover, cancellationSignal, ...(superseded === undefined ? [] : [superseded])]);
  const cancelled = new AbortController();
  const scope: ActivityScope = {
    signal,
    cancelled: cancelled.signal,
    get cancelRequested() {
      return context.cancellationDetails?.cancelRequested === true;
    },
    reason: () => {
      if (scope.cancelRequested) return new CancelledFailure('canceled by the workflow');
      // Not cancelled by the workflow: only this attempt ends, and another one continues.
      return handedOver();
    },
  };
  const onCancellation = (): void => {
    if (scope.cancelRequested) cancelled.abort(scope.reason());
  };
  cancellationSignal.addEventListener('abort', onCancellation, { once: true });
  if (cancellationSignal.aborted) onCancellation();
  const heart = setInterval(() => {
    context.heartbeat(details());
  }, heartbeatMs);
  try {
    if (signal.aborted) throw scope.reason();
    return await work(scope);
  } catch (error) {
    throw signal.aborted ? scope.reason() : error;
  } finally {
    clearInterval(heart);
    cancellationSignal.removeEventListener('abort', onCancellation);
    // The last details of this attempt, which the next one reads.
    if (details() !== undefined) context.heartbeat(details());
  }
}

/** Like `abortable`; disposes of a result that arrives too late. */
export async function abortableLease<T extends AsyncDisposable>(scope: ActivityScope, lease: Promise<T>): Promise<T> {
  try {
    return await abortable(scope, lease);
  } catch (error) {
    lease.then((late) => late[Symbol.asyncDispose]()).catch(() => undefined);
    throw error;
  }
}

/** Rejects with the reason once the signal aborts, for work that ignores the signal. */
export async function abortable<T>(scope: ActivityScope, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(scope.reason());
  };
  scope.signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (scope.signal.aborted) onAbort();
    return await Promise.race([work, aborted]);
  } finally {
    scope.signal.removeEventListener('abort', onAbort);
  }
}
