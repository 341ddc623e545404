// Errors between the pure modules and Temporal, both ways.
import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { ERRORS, MurmurError } from '../contract/wire/errors.ts';
import type { ErrorBody } from '../contract/wire/errors.ts';

/**
 * Runs what an update or a query asks for. A MurmurError becomes a failure of that call alone; everything else is a
 * defect and goes on to fail the workflow task, which Temporal repeats until it is mended.
 */
export function withApplicationFailures<T>(answer: () => T): T {
  try {
    return answer();
  } catch (error) {
    throw asFailure(error);
  }
}

/** The same for an answer that has to be waited for. */
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

/** The error as a failure whose type is its code and whose first detail is its plain form. */
export function toFailure(error: MurmurError): ApplicationFailure {
  return ApplicationFailure.create({
    type: error.code,
    message: error.message,
    nonRetryable: !ERRORS[error.code].retryable,
    details: [error.toBody()],
  });
}

/** What an activity failed with: its failure type and a sentence for people. */
export interface ActivityProblem {
  readonly type: string;
  readonly message: string;
}

/** Reads what an activity call threw; undefined when that was no failed activity, but a defect or a cancellation. */
export function activityProblem(error: unknown): ActivityProblem | undefined {
  if (!(error instanceof ActivityFailure)) return undefined;
  const { cause } = error;
  if (cause instanceof ApplicationFailure) {
    const body = cause.details?.[0] as Partial<ErrorBody> | null | undefined;
    const hint = typeof body?.hint === 'string' ? ` (${body.hint})` : '';
    return { type: cause.type ?? 'INTERNAL', message: `${cause.message}${hint}` };
  }
  // A timeout, or a cancellation that we asked for.
  return { type: 'UNAVAILABLE', message: `${error.activityType}: ${cause?.message ?? error.message}` };
}
