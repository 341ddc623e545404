// The connection to Temporal. It may be created before Temporal is up, and survives Temporal's restarts.
import {
  Client,
  Connection,
  isRetryableError,
  makeGrpcRetryInterceptor,
  QueryRejectCondition,
} from '@temporalio/client';
import type { ConnectionOptions, WorkflowClientInterceptor } from '@temporalio/client';

/** Backoff after a lost connection. gRPC's default waits up to 2 minutes. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1_000 } as const;

/** gRPC's status code for a server that limits requests. */
const RESOURCE_EXHAUSTED = 8;

/**
 * Retries calls until their deadline, which each call has (agents/temporal.ts). The SDK's pauses grow to 5 s, so people
 * would wait longer than a restart of the dev server, which takes one second.
 */
const RETRY = makeGrpcRetryInterceptor({
  retryableDecider: (_attempt, status) => isRetryableError(status),
  delayFunction: (attempt, status) =>
    Number(status.code) === RESOURCE_EXHAUSTED ? 1_000 : Math.min(50 * 2 ** Math.min(attempt, 10), 400),
});

/** A client that queries only open workflows, because closed agents have records. Connects at the first use. */
export function createTemporalClient(
  options: ConnectionOptions,
  namespace: string,
  interceptors: WorkflowClientInterceptor[] = [],
): Client {
  const connection = Connection.lazy({
    ...options,
    channelArgs: { ...RECONNECT, ...options.channelArgs },
    interceptors: [RETRY, ...(options.interceptors ?? [])],
  });
  return new Client({
    connection,
    namespace,
    interceptors: { workflow: interceptors },
    workflow: { queryRejectCondition: QueryRejectCondition.NOT_OPEN },
  });
}
