// Runs a failed agent of a flight again.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { flightNode } from '../schema/flight.ts';

export const flightRerun = defineOperation({
  name: 'flight_rerun',
  summary: 'run a failed agent of a flight again',
  description:
    'Gives failed work to new agents; finished agents do not run again. If a failed follow-up continues an agent that has ' +
    'ended, the whole chain of follow-ups runs again.',
  input: z.strictObject({ ...agentAddress, node: flightNode }),
  output: z.object({
    nodes: z.array(z.string()).describe('Agents of the flight that run again, in the order of the file.'),
  }),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION'],
  hints: { readOnly: false, destructive: false, idempotent: false },
  access: 'change',
  to: {
    flight: 'rerun',
    payload: (order, { node }) => ({ ...order, node }),
    answer: (reply) => reply,
  },
  mcp: {},
  cli: {
    command: 'flight rerun',
    args: ['slug', 'node'],
    prints: 'running again: {nodes}',
    examples: [{ line: 'flight rerun flight-deploy build', says: 'after you fixed the cause of the failure' }],
  },
});
