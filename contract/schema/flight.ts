// Input and output of the flight operations.
import { z } from 'zod';
import { FLIGHT_STATES, INSTANCE_PHASES, NODE_STATES } from '../wire/flight/view.ts';

/** The name of an agent in its flight. */
export const flightNode = z
  .string({ error: (issue) => (issue.input === undefined ? 'node required' : 'node must be a string') })
  .min(1, 'node required')
  .max(100, 'node has at most 100 characters')
  .describe('The agent as the flight names it: the text of its heading.');

const instance = z.object({
  agent: z.string().optional().describe('Slug of the agent, beneath the pilot. Absent until there is one.'),
  item: z.string().optional().describe('The item that it works for.'),
  state: z.enum(INSTANCE_PHASES),
  attempt: z.number().int().describe('From 1; increased by a rerun.'),
  reason: z.string().optional().describe('Why it failed or is idle before it is done.'),
  response: z.string().optional().describe('Start of its last answer.'),
  branches: z.array(z.string()).optional().describe('Its working branches.'),
});

const node = z.object({
  slug: z.string(),
  state: z
    .enum(NODE_STATES)
    .describe(
      '`pending` waits for other agents, `blocked` for failed ones, `needs-items` for the list from the pilot, ' +
        '`ready` for a slot, `needs-approval` for a person.',
    ),
  needs: z.array(z.string()).optional(),
  continues: z.string().optional(),
  gate: z.string().optional(),
  each: z.string().optional().describe('What it runs for each of, as the file says it.'),
  approved_by: z.string().optional(),
  agents: z.array(instance).describe('One, or one per item; empty until the items are known.'),
});

/** A flight and everything in it. */
export const flightView = z.object({
  name: z.string(),
  pilot: z.string().describe('Absolute path of the pilot.'),
  state: z
    .enum(FLIGHT_STATES)
    .describe('`waiting`: no agent runs until somebody approves, lists or reruns. `ended`: it ended with its pilot.'),
  max_concurrent: z.number().int().optional().describe('Agents at work at once; absent without a limit.'),
  nodes: z.array(node).describe('Agents of the graph, in the order of the file.'),
  finished_at: z.string().optional().describe('When all agents were done, ISO 8601.'),
});
