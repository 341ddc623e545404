// Shares a port of an agent's machine.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { quoteValue } from '../schema/quote.ts';

const RULE = 'it needs a whole number from 1 to 65535';

export const portUrl = defineOperation({
  name: 'port_url',
  summary: "share a port of the agent's machine under a URL",
  description:
    'Returns a URL that cannot be guessed and that leads, over HTTP and WebSocket, to a port on which a process of the ' +
    "calling agent's machine listens, such as a development server; start it first. The URL dies with the agent. Pages are shown in a " +
    'sandbox, without cookies or storage of their own; links from the root (`/style.css`) lead out of the port, so ' +
    'serve with relative links or a base path. For agents only.',
  input: z.strictObject({
    port: z
      .int({
        error: (issue) => (issue.input === undefined ? 'port required' : `port is ${quoteValue(issue.input)}: ${RULE}`),
      })
      .min(1, { error: (issue) => `port is ${quoteValue(issue.input)}: ${RULE}` })
      .max(65_535, { error: (issue) => `port is ${quoteValue(issue.input)}: ${RULE}` })
      .describe('TCP port on the loopback interface of the machine, such as 3000.'),
  }),
  output: z.string().describe('URL that leads to the port.'),
  errors: ['INVALID_ARGUMENT', 'PERMISSION_DENIED', 'FAILED_PRECONDITION'],
  hints: { readOnly: true, destructive: false, idempotent: true },
  mcp: { result: 'url' },
  cli: {
    command: 'url port',
    args: ['port'],
    rest: 'port',
    examples: [
      { line: 'url port 3000', says: 'a development server; on an agent’s machine' },
      { line: 'url port 3000 8080', says: 'one URL each' },
    ],
  },
});
