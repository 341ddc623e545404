// Lets an agent of a flight pass its gate.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { flightNode } from '../schema/flight.ts';

export const flightApprove = defineOperation({
  name: 'flight_approve',
  summary: 'approve the gate of an agent of a flight',
  description:
    'Approves the work of an agent with `gate: approve`, so that its dependents start. Only people can call this; agents ' +
    'cannot approve. Approving again changes nothing.',
  input: z.strictObject({ ...agentAddress, node: flightNode }),
  output: z.object({
    node: z.string().describe('The agent, as the flight names it.'),
    approved_by: z.string().describe('Account that approved it.'),
  }),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION', 'PERMISSION_DENIED'],
  hints: { readOnly: false, destructive: false, idempotent: true },
  access: 'own',
  to: {
    flight: 'approve',
    payload: (order, { node }) => ({ ...order, node }),
    answer: ({ approved_by }, { node }) => ({ node, approved_by }),
  },
  cli: {
    command: 'flight approve',
    args: ['slug', 'node'],
    prints: 'approved {node}',
    examples: [{ line: 'flight approve flight-deploy release', says: 'agents that need `release` start' }],
  },
});
