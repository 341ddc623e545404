// Lists machines, and whose they are.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { MACHINE_STATES, ORPHAN_REASONS } from '../wire/machines.ts';

const surveyedMachine = z.object({
  name: z.string().describe('Name of the machine.'),
  provider: z.string().describe('Who provides it.'),
  host: z.string().optional().describe('Host on which it is; absent for this one.'),
  state: z
    .enum(MACHINE_STATES)
    .describe(
      '`owned`: its agent is alive. `pending`: its agent has ended and its end may still be under way. `unowned`: no agent ' +
        'owns it, and the next sweep ends it. `orphaned`: nothing shows whether it is needed; only a person ends it.',
    ),
  reason: z.enum(ORPHAN_REASONS).optional().describe('Why it is orphaned.'),
  agent: z.string().optional().describe('Absolute path of its agent, if its labels name one.'),
  spawned_at: z.string().optional().describe('When that agent was spawned, ISO 8601, if it is known.'),
});

const silentProvider = z.object({
  provider: z.string(),
  host: z.string().optional().describe('The host that could not be asked; absent when it was the whole provider.'),
  error: z.string().describe('Why not.'),
});

export const machineLs = defineOperation({
  name: 'machine_ls',
  summary: 'list machines and whose they are',
  description:
    'Lists the machines of your agents, and those that name no agent, with their state. Machines of other installations ' +
    'are not listed. A provider or host that cannot be asked is named in `unreachable`. For people only.',
  input: z.strictObject({
    developer: z
      .string()
      .optional()
      .describe("Machines of one developer's agents, or `*` for all developers. Empty or absent: yours."),
  }),
  output: z.object({
    machines: z.array(surveyedMachine).describe('In the order of their names.'),
    unreachable: z.array(silentProvider).describe('What could not be asked: its machines are not in the list.'),
  }),
  errors: ['INVALID_ARGUMENT', 'PERMISSION_DENIED'],
  hints: { readOnly: true, destructive: false, idempotent: true },
  access: 'own',
  cli: {
    command: 'machine ls',
    args: [],
    examples: [
      { line: 'machine ls', says: 'machines of your agents' },
      { line: "machine ls --developer '*'", says: 'of all developers' },
    ],
  },
});
