// Errors of the drivers as Temporal failures: the code is the type, the table decides whether Temporal tries again.
import { CancelledFailure, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { HANDOVER, MACHINE_LOST } from '../contract/wire/activities.ts';
import { ERRORS, MurmurError } from '../contract/wire/errors.ts';

/**
 * A defect is tried again a few times, since it may have been the moment; then whoever looks at the agent must see it.
 */
const DEFECT_ATTEMPTS = 5;

/** Wraps an activity so that it fails only with failures that say what went wrong. */
export function failing<Input, Output>(activity: (input: Input) => Promise<Output>): (input: Input) => Promise<Output> {
  return async (input) => {
    try {
      return await activity(input);
    } catch (error) {
      throw toFailure(error, Context.current().info.attempt);
    }
  };
}

/** The failure that stands for what was thrown; failures of Temporal's own stay as they are. */
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

/** The machine is gone, so nothing on it can be re-attached to: the workflow makes a new one. */
export function machineLost(name: string): ApplicationFailure {
  return ApplicationFailure.create({ type: MACHINE_LOST, message: `machine ${name} is gone`, nonRetryable: true });
}

/** This worker shuts down and the next one goes on at once. */
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
