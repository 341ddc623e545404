// Says what is running.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';

export const version = defineOperation({
  name: 'version',
  summary: 'show the versions that are running',
  description: 'Returns the version and commit of the API server, its address, and the Temporal service behind it.',
  input: z.strictObject({}),
  output: z.object({
    server_version: z.string().describe('Version of the API server.'),
    server_commit: z.string().optional().describe('Commit that it was built from.'),
    api_host: z.string().describe('Host and port of the API server.'),
    temporal: z
      .object({ address: z.string(), namespace: z.string() })
      .describe('The Temporal service that runs the agents.'),
  }),
  errors: [],
  hints: { readOnly: true, destructive: false, idempotent: true },
  mcp: {},
  cli: {
    command: 'version',
    args: [],
    examples: [{ line: 'version', says: 'client and server' }],
  },
});
