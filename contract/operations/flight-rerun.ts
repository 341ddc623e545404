// Runs a failed agent of a flight again.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { flightNode } from '../schema/flight.ts';

export const flightRerun = defineOperation({
  name: 'flight_rerun',
  summary: 'run a failed agent of a flight again',
  description:
    'Starts a new agent in the place of each one that has failed; finished ones are not run again. Work that continues ' +
    'an agent that has ended begins again where that agent began.',
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
    examples: [{ line: 'flight rerun flight-deploy build', says: 'after mending what made it fail' }],
  },
});
