// Shares the page of an agent.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';

export const agentUrl = defineOperation({
  name: 'agent_url',
  summary: "show the address of an agent's live page",
  description:
    "Returns the URL of an agent's page: phase, task, checklist, children, pull requests, uploads, cost, timeline and " +
    'the session as it happens. The URL is a name and opens nothing by itself: put it into messages and pull requests. ' +
    'People open the page with `murmur url agent`, which adds a key.',
  input: z.strictObject({
    ...agentAddress,
    key: z
      .boolean()
      .default(false)
      .describe(
        'Adds a key for the browser: whoever opens the URL within 10 minutes may read this agent and its descendants ' +
          'in that tab for 8 hours, until the agent ends or the token that asked is revoked. For people only.',
      ),
  }),
  output: z.string().describe("URL of the agent's page."),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'PERMISSION_DENIED'],
  hints: { readOnly: true, destructive: false, idempotent: true },
  access: 'read',
  mcp: { without: ['key'], result: 'url' },
  cli: {
    command: 'url agent',
    args: ['slug'],
    flags: { key: { hidden: true } },
    examples: [
      { line: 'url agent fix-auth', says: 'open it in a browser within 10 minutes' },
      { line: 'url agent fix-auth --plain', says: 'without the key, for a pull request' },
    ],
  },
});
