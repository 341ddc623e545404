// Translates thrown values into MurmurErrors, and MurmurErrors into bodies of answers.
import {
  ApplicationFailure,
  isGrpcServiceError,
  NamespaceNotFoundError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { causesOf, noWorker, temporalSilent } from '../agents/temporal.ts';
import { isErrorCode, MurmurError } from '../contract/wire/errors.ts';
import type { ErrorBody } from '../contract/wire/errors.ts';

/** gRPC status codes. */
const GRPC = {
  CANCELLED: 1,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/** The error for the caller. Uses the first cause with a known meaning; everything else is a defect, INTERNAL. */
export function murmurErrorOf(error: unknown): MurmurError {
  for (const each of causesOf(error)) {
    const known = readKnown(each);
    if (known !== undefined) return known;
  }
  return new MurmurError('INTERNAL', 'the API server failed', { cause: error });
}

function readKnown(error: unknown): MurmurError | undefined {
  if (error instanceof MurmurError) return error;
  if (error instanceof ApplicationFailure) return readFailure(error);
  if (error instanceof NamespaceNotFoundError) {
    return new MurmurError('UNAVAILABLE', `Temporal has no namespace ${JSON.stringify(error.namespace)}`, {
      hint: 'create the namespace or set TEMPORAL_NAMESPACE',
      cause: error,
    });
  }
  if (isGrpcServiceError(error)) return readGrpc(error.code, error.details, error);
  // Checked before its cause, a gRPC deadline, which would mean that Temporal did not answer.
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return noWorker(error);
  return undefined;
}

/** A failure of a Murmur workflow has the error code as type and may have the error body as first detail. */
function readFailure(failure: ApplicationFailure): MurmurError | undefined {
  if (!isErrorCode(failure.type)) return undefined;
  const body = failure.details?.[0] as Partial<ErrorBody> | undefined;
  return new MurmurError(failure.type, failure.message, { hint: body?.hint, details: body?.details, cause: failure });
}

function readGrpc(code: number, details: string, cause: unknown): MurmurError | undefined {
  switch (code) {
    case GRPC.UNAVAILABLE:
    case GRPC.DEADLINE_EXCEEDED:
    case GRPC.CANCELLED:
      return temporalSilent(cause);
    case GRPC.UNAUTHENTICATED:
    case GRPC.PERMISSION_DENIED:
      return new MurmurError('UNAVAILABLE', `Temporal refuses the API server: ${details}`, {
        hint: 'check the TEMPORAL_ settings of `murmur up`',
        cause,
      });
    case GRPC.RESOURCE_EXHAUSTED:
      return new MurmurError('RESOURCE_EXHAUSTED', `Temporal refuses more: ${details}`, {
        hint: 'try again in a moment',
        cause,
      });
    case GRPC.FAILED_PRECONDITION:
      return new MurmurError('UNAVAILABLE', `the workflow takes no requests: ${details}`, {
        hint: "look at it in Temporal's Web UI, and at the worker's log",
        cause,
      });
    default:
      return undefined;
  }
}

/** The body of an HTTP error. */
export function errorAnswer(
  error: MurmurError,
  requestId: string,
): { readonly error: ErrorBody & { request_id: string } } {
  return { error: { ...error.toBody(), request_id: requestId } };
}
