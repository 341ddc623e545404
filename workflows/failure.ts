// Converts errors between the pure modules and Temporal, in both directions.
import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { ERRORS, MurmurError } from '../contract/wire/errors.ts';
import type { ErrorBody } from '../contract/wire/errors.ts';

/**
 * Runs the handler of an update or a query. A MurmurError becomes an ApplicationFailure, which fails that call only.
 * Any other error is a defect: it fails the workflow task, which Temporal retries until the defect is fixed.
 */
export function withApplicationFailures<T>(answer: () => T): T {
  try {
    return answer();
  } catch (error) {
    throw asFailure(error);
  }
}

/** Like `withApplicationFailures`, for a handler that is still running. */
export async function withApplicationFailuresAsync<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw asFailure(error);
  }
}

function asFailure(error: unknown): unknown {
  return error instanceof MurmurError ? toFailure(error) : error;
}

/** Converts the error to a failure whose type is the error's code and whose first detail is its plain form. */
export function toFailure(error: MurmurError): ApplicationFailure {
  return ApplicationFailure.create({
    type: error.code,
    message: error.message,
    nonRetryable: !ERRORS[error.code].retryable,
    details: [error.toBody()],
  });
}

/** Why an activity failed: the failure type, and a message for people. */
export interface ActivityProblem {
  readonly type: string;
  readonly message: string;
}

/** Reads the error of an activity call. Returns undefined for a defect or a cancellation. */
export function activityProblem(error: unknown): ActivityProblem | undefined {
  if (!(error instanceof ActivityFailure)) return undefined;
  const { cause } = error;
  if (cause instanceof ApplicationFailure) {
    const body = cause.details?.[0] as Partial<ErrorBody> | null | undefined;
    const hint = typeof body?.hint === 'string' ? ` (${body.hint})` : '';
    return { type: cause.type ?? 'INTERNAL', message: `${cause.message}${hint}` };
  }
  // A timeout, or a cancellation that the workflow requested.
  return { type: 'UNAVAILABLE', message: `${error.activityType}: ${cause?.message ?? error.message}` };
}
