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
    'Blocks until the agent reaches the phase, or any terminal phase, and returns its full status. Returns at once if the ' +
    'agent is already there. Without a phase, waits until the agent needs attention: task-complete, idle, parked or any ' +
    'terminal phase. Input accepted before the call is answered first: `queue_add` then `wait` never returns for the ' +
    'previous turn. With `slugs`, waits for all agents, or with `mode` `any` for the first. Then returns a list of ' +
    'statuses in the order of the slugs; with `any`, only of agents that have reached the phase.',
  input: z.strictObject({
    ...agentAddress,
    slugs: z
      .array(z.string().min(1, 'slug required'))
      .max(SLUGS_LIMIT, `at most ${String(SLUGS_LIMIT)} agents at once`)
      .optional()
      .describe('Several agents to wait for, plus `slug` if given. The answer is then a list.'),
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
    note: z
      .string()
      .optional()
      .describe('With `slugs`: the agents that the call still waits for. Of one agent: why it has not started yet.'),
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
      { line: 'wait fix-auth', says: 'until it needs attention' },
      { line: 'wait fix-auth --phase task-complete', says: 'until its task is done' },
      { line: 'wait fix-auth docs-pass --any', says: 'until one of them needs attention' },
    ],
  },
});
