// What a long activity has to attend to beside its work: heartbeats, cancellation, the end of its worker.
import { CancelledFailure, Context } from '@temporalio/activity';
import { handedOver } from './failure.ts';

/** Of the five seconds after which a worker counts as dead. A cancellation comes with the answer to one. */
const HEARTBEAT_MS = 1_000;

export interface AttentionOptions {
  /** What the heartbeats carry to the next attempt. */
  readonly details?: () => unknown;
  /** Aborts when a later attempt has taken over. */
  readonly takenOver?: AbortSignal;
  /** Time between two heartbeats, each of which costs Temporal milliseconds. Default: a second. */
  readonly heartbeatMs?: number;
}

export interface Attention {
  /** Aborts when the work must be left: cancelled, handed over, or taken over by a later attempt. */
  readonly signal: AbortSignal;
  /** Whether the workflow itself wants it to end; a worker's shutdown looks much the same and must not end a turn. */
  readonly cancelRequested: boolean;
  /** Aborts when the workflow itself wants it to end, and for no other reason. */
  readonly cancelled: AbortSignal;
  /** Why the signal has aborted, as what the activity is to throw. */
  reason(): Error;
}

/**
 * Runs the work with heartbeats. When the signal aborts, the work should end soon; what it throws then is replaced by
 * the reason.
 * @param handover aborts when the worker shuts down
 */
export async function attentively<T>(
  handover: AbortSignal,
  work: (attention: Attention) => Promise<T>,
  options: AttentionOptions = {},
): Promise<T> {
  const { details = () => undefined, heartbeatMs = HEARTBEAT_MS, takenOver } = options;
  const context = Context.current();
  const { cancellationSignal } = context;
  const signal = AbortSignal.any([handover, cancellationSignal, ...(takenOver === undefined ? [] : [takenOver])]);
  const cancelled = new AbortController();
  const attention: Attention = {
    signal,
    cancelled: cancelled.signal,
    get cancelRequested() {
      return context.cancellationDetails?.cancelRequested === true;
    },
    reason: () => {
      if (attention.cancelRequested) return new CancelledFailure('canceled by the workflow');
      // Not cancelled by the workflow: then only this attempt ends, and another one goes on.
      return handedOver();
    },
  };
  const onCancellation = (): void => {
    if (attention.cancelRequested) cancelled.abort(attention.reason());
  };
  cancellationSignal.addEventListener('abort', onCancellation, { once: true });
  if (cancellationSignal.aborted) onCancellation();
  const heart = setInterval(() => {
    context.heartbeat(details());
  }, heartbeatMs);
  try {
    if (signal.aborted) throw attention.reason();
    return await work(attention);
  } catch (error) {
    throw signal.aborted ? attention.reason() : error;
  } finally {
    clearInterval(heart);
    cancellationSignal.removeEventListener('abort', onCancellation);
    // The last word of this attempt: the next one reads it.
    if (details() !== undefined) context.heartbeat(details());
  }
}

/** As `unlessAborted`; what comes too late is disposed of. */
export async function leaseUnlessAborted<T extends AsyncDisposable>(
  attention: Attention,
  lease: Promise<T>,
): Promise<T> {
  try {
    return await unlessAborted(attention, lease);
  } catch (error) {
    lease.then((late) => late[Symbol.asyncDispose]()).catch(() => undefined);
    throw error;
  }
}

/** Rejects with the reason once the signal aborts, for work that does not listen to it. */
export async function unlessAborted<T>(attention: Attention, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(attention.reason());
  };
  attention.signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (attention.signal.aborted) onAbort();
    return await Promise.race([work, aborted]);
  } finally {
    attention.signal.removeEventListener('abort', onAbort);
  }
}
