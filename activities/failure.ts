// Converts errors to Temporal failures: the code is the type, and the error table decides whether Temporal retries.
import { CancelledFailure, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { HANDOVER, MACHINE_LOST } from '../contract/wire/activities.ts';
import { ERRORS, MurmurError } from '../contract/wire/errors.ts';

/** Attempts for a defect: it may have been temporary. After that a person must see it. */
const DEFECT_ATTEMPTS = 5;

/** Wraps an activity so that every failure names its cause. */
export function failing<Input, Output>(activity: (input: Input) => Promise<Output>): (input: Input) => Promise<Output> {
  return async (input) => {
    try {
      return await activity(input);
    } catch (error) {
      throw toFailure(error, Context.current().info.attempt);
    }
  };
}

/** Converts an error to a failure; Temporal's own failures stay as they are. */
export function toFailure(error: unknown, attempt: number): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const known = error instanceof MurmurError ? error : defect(error);
  const retryable = ERRORS[known.code].retryable && (known.code !== 'INTERNAL' || attempt < DEFECT_ATTEMPTS);
  return ApplicationFailure.create({
    type: known.code,
    message: known.message,
    nonRetryable: !retryable,
    details: [known.toBody()],
    ...(error instanceof Error ? { cause: error } : {}),
  });
}

/** The failure for a lost machine: nothing is left to re-attach to, and the workflow creates a new one. */
export function machineLost(name: string): ApplicationFailure {
  return ApplicationFailure.create({ type: MACHINE_LOST, message: `machine ${name} is gone`, nonRetryable: true });
}

/** The failure for a handover: this worker shuts down and the next one continues at once. */
export function handedOver(): ApplicationFailure {
  return ApplicationFailure.create({
    type: HANDOVER,
    message: 'the worker shuts down',
    nonRetryable: false,
    nextRetryDelay: '10ms',
  });
}

function defect(error: unknown): MurmurError {
  const message = error instanceof Error ? error.message : String(error);
  return new MurmurError('INTERNAL', message, { cause: error });
}
