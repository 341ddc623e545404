// Id of the agents' Temporal namespace.
import type { Client } from '@temporalio/client';
import { MurmurError } from '../contract/wire/errors.ts';

/** Asks Temporal for the id of the client's namespace, and caches the answer. */
export function namespaceIdOf(client: Client): () => Promise<string> {
  let known: string | undefined;
  return async () => {
    known ??= await ask(client);
    return known;
  };
}

async function ask({ connection, options: { namespace } }: Client): Promise<string> {
  try {
    const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
    return namespaceInfo?.id ?? '';
  } catch (error) {
    throw new MurmurError('UNAVAILABLE', `Temporal does not say which namespace ${namespace} is`, { cause: error });
  }
}
