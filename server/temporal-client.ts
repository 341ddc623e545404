// The connection to Temporal: it may be made before the server is up and outlives the server's restarts.
import { Client, Connection, QueryRejectCondition } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';

/** How soon and how often a lost connection is tried again; gRPC's own would wait up to 2 minutes. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1_000 } as const;

/** A client that asks open workflows only: closed agents are answered from their record. Connects when first used. */
export function createTemporalClient(options: ConnectionOptions, namespace: string): Client {
  const connection = Connection.lazy({ ...options, channelArgs: { ...RECONNECT, ...options.channelArgs } });
  return new Client({
    connection,
    namespace,
    workflow: { queryRejectCondition: QueryRejectCondition.NOT_OPEN },
  });
}
