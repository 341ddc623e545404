// Creates an agent for every item of a list.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { message } from '../schema/text.ts';
import { CONCURRENT_LIMIT, DEFAULT_CONCURRENT } from '../wire/fanout/plan.ts';
import { ITEM_LIMIT } from '../wire/fanout/items.ts';
import { spawn } from './spawn.ts';

const {
  slug: _slug,
  description: _description,
  each: _each,
  flight: _flight,
  flight_source: _source,
  flight_inputs: _inputs,
  ...shared
} = spawn.input.shape;

/** Without what belongs to flights. */
const { flight_source: _hidden, ...flags } = spawn.cli.flags;

const refusedItem = z.object({
  slug: z.string().describe('Slug that it would have had.'),
  item: z.string(),
  code: z.string().describe('Code of the error.'),
  message: z.string(),
});

export const each = defineOperation({
  name: 'each',
  summary: 'create an agent for each line of standard input',
  description:
    'Creates one agent for each item and replaces {} in slug and description with the item. Returns all slugs at once. ' +
    'The agents then exist in phase `starting`: you can watch, wait for and kill them. At most `max_concurrent` agents ' +
    'work at a time. An agent that idles, parks or ends frees its slot for the next item. An idle agent keeps its ' +
    'machine unless `on_idle` is `terminate`. An item whose slug is in use is skipped and listed in `failed`.',
  input: z.strictObject({
    slug: message('slug').describe(
      'Template of the slugs, with {}: the item in lower case, with dashes for all but letters and digits, cut to fit. ' +
        'Equal slugs get -2, -3 and so on.',
    ),
    description: message('description').describe('Template of the tasks, with {}: the item, unchanged.'),
    items: z
      .array(z.string())
      .default([])
      .describe(`The items, one agent each; blank items are skipped. At most ${String(ITEM_LIMIT)}.`),
    max_concurrent: z
      .int()
      .min(1, 'max_concurrent is at least 1')
      .max(CONCURRENT_LIMIT, `max_concurrent is at most ${String(CONCURRENT_LIMIT)}`)
      .default(DEFAULT_CONCURRENT)
      .describe('Number of agents that work at the same time.'),
    dry_run: z
      .boolean()
      .default(false)
      .describe('Check everything and show slugs and descriptions, but create nothing.'),
    ...shared,
  }),
  output: z.object({
    slugs: z.array(z.string()).describe('Slugs of the agents, in the order of the items.'),
    count: z.number().int().describe('Number of agents.'),
    workspace: z.string().describe('Their workspace.'),
    failed: z.array(refusedItem).describe('Items for which no agent was created.'),
    descriptions: z.array(z.string()).optional().describe('In a dry run: the description of each agent.'),
  }),
  errors: ['INVALID_ARGUMENT', 'FAILED_PRECONDITION', 'NOT_FOUND', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED'],
  hints: { readOnly: false, destructive: false, idempotent: false },
  cli: {
    command: 'each',
    args: ['slug', 'description'],
    argNames: { slug: 'slug-template', description: 'description-template' },
    rest: 'description',
    flags: {
      ...flags,
      items: { hidden: true },
    },
    examples: [
      { line: "each 'lint-{}' 'Run the linter on {}' < packages.txt", says: 'one agent for each line' },
      {
        line: "each --dry-run -d '\\0' 'fix-{}' 'Fix the types in {}'",
        says: 'shows the agents for the output of `find -print0`, creates none',
      },
    ],
  },
});
