// The connection to Temporal: it may be made before the server is up and outlives the server's restarts.
import {
  Client,
  Connection,
  isRetryableError,
  makeGrpcRetryInterceptor,
  QueryRejectCondition,
} from '@temporalio/client';
import type { ConnectionOptions, WorkflowClientInterceptor } from '@temporalio/client';

/** How soon and how often a lost connection is tried again; gRPC's own would wait up to 2 minutes. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1_000 } as const;

/** gRPC's number for a server that asks for patience. */
const RESOURCE_EXHAUSTED = 8;

/**
 * Calls are repeated until their deadline: each has one (agents/temporal.ts). The SDK's own pauses grow to 5 s, which
 * would keep people waiting after a restart of the dev server that took one.
 */
const RETRY = makeGrpcRetryInterceptor({
  retryableDecider: (_attempt, status) => isRetryableError(status),
  delayFunction: (attempt, status) =>
    Number(status.code) === RESOURCE_EXHAUSTED ? 1_000 : Math.min(50 * 2 ** Math.min(attempt, 10), 400),
});

/** A client that asks open workflows only: closed agents are answered from their record. Connects when first used. */
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
