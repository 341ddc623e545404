// Blocks until agents reach a phase.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { phaseInput, phaseName } from '../schema/phase.ts';
import { agentStatus, progressFields } from '../schema/status.ts';

/** Each costs a follower of its log. */
const SLUGS_LIMIT = 200;

export const wait = defineOperation({
  name: 'wait',
  summary: 'wait until agents reach a phase',
  description:
    'Blocks until the agent reaches the phase, or any terminal phase, and returns its full status; at once when it is ' +
    'there already. Without a phase it waits until the agent needs attention: task-complete, idle, parked or any ' +
    'terminal phase. Input that was accepted before the call is answered first: `queue_add` then `wait` never returns ' +
    'for the turn before. With `slugs` it waits for all of them, or with `mode` `any` for the first, and returns a list: ' +
    'the statuses in the order of the slugs, with `any` of those that have reached the phase by then.',
  input: z.strictObject({
    ...agentAddress,
    slugs: z
      .array(z.string().min(1, 'slug required'))
      .max(SLUGS_LIMIT, `at most ${String(SLUGS_LIMIT)} agents at once`)
      .optional()
      .describe('Several agents to wait for, `slug` among them when it is given too. The answer is then a list.'),
    mode: z
      .enum(['all', 'any'])
      .default('all')
      .describe('With `slugs`: wait until `all` of them have reached the phase, or until `any` has.'),
    phase: phaseInput
      .optional()
      .describe(
        'Phase to wait for, such as `task-complete`, `running` or `idle`; PHASE_TASK_COMPLETE is accepted too. ' +
          'Default: any phase that needs attention.',
      ),
  }),
  output: z.union([agentStatus, z.array(agentStatus)]),
  progress: z.object({
    phase: phaseName,
    ...progressFields,
    note: z.string().optional().describe('With `slugs`: which are still waited for.'),
  }),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND'],
  hints: { readOnly: true, destructive: false, idempotent: true },
  stream: 'result',
  access: 'read',
  mcp: { required: ['slug'], result: 'agents' },
  cli: {
    command: 'wait',
    args: ['slugs'],
    argNames: { slugs: 'slug' },
    rest: 'slugs',
    flags: { slug: { hidden: true }, mode: { hidden: true } },
    refusals: { phase: 'unknown phase' },
    examples: [
      { line: 'wait fix-auth', says: 'until it needs you' },
      { line: 'wait fix-auth --phase task-complete', says: 'until its task is done' },
      { line: 'wait fix-auth docs-pass --any', says: 'until one of them needs you' },
    ],
  },
});
