// Shows how far a flight is.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { flightView } from '../schema/flight.ts';

export const flightStatus = defineOperation({
  name: 'flight_status',
  summary: 'show the state of a flight',
  description:
    'Shows every agent of the graph with its state, what it waits for, its attempts and its last answer. The slug is the ' +
    "pilot's. After the flight's end, shows its last state.",
  input: z.strictObject({ ...agentAddress }),
  output: flightView,
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION'],
  hints: { readOnly: true, destructive: false, idempotent: true },
  access: 'read',
  mcp: {},
  cli: {
    command: 'flight status',
    args: ['slug'],
    examples: [{ line: 'flight status flight-deploy', says: 'which agents are done, running or waiting' }],
  },
});
