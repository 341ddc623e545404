// Blocks until an agent reaches a phase.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { phaseInput, phaseName } from '../schema/phase.ts';
import { agentStatus, progressFields } from '../schema/status.ts';

export const wait = defineOperation({
  name: 'wait',
  summary: 'wait until an agent reaches a phase',
  description:
    'Blocks until the agent reaches the phase, or any terminal phase, and returns its full status; at once when it is ' +
    'there already. Without a phase it waits until the agent needs attention: task-complete, idle, parked or any ' +
    'terminal phase. Input that was accepted before the call is answered first: `queue_add` then `wait` never returns ' +
    'for the turn before.',
  input: z.strictObject({
    ...agentAddress,
    phase: phaseInput
      .optional()
      .describe(
        'Phase to wait for, such as `task-complete`, `running` or `idle`; PHASE_TASK_COMPLETE is accepted too. ' +
          'Default: any phase that needs attention.',
      ),
  }),
  output: agentStatus,
  progress: z.object({ phase: phaseName, ...progressFields }),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND'],
  hints: { readOnly: true, destructive: false, idempotent: true },
  stream: 'result',
  access: 'read',
  mcp: { required: ['slug'] },
  cli: {
    command: 'wait',
    args: ['slug'],
    refusals: { phase: 'unknown phase' },
    examples: [
      { line: 'wait fix-auth', says: 'until it needs you' },
      { line: 'wait fix-auth --phase task-complete', says: 'until its task is done' },
    ],
  },
});
