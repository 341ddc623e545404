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
    'Creates one agent for each item, with {} in slug and description replaced by it. Returns at once with all slugs: the ' +
    'agents exist from then on, in phase `starting`, and can be watched, waited for and killed. At most `max_concurrent` ' +
    'work at a time; one that comes to rest or ends gives its slot to the next in the list. One that rests keeps its ' +
    'machine: `on_idle` `terminate` ends it instead. An item whose slug is in use is left out and named in `failed`.',
  input: z.strictObject({
    slug: message('slug').describe(
      'Template of the slugs, with {}: the item in lower case, with dashes for all but letters and digits, cut to fit. ' +
        'Equal ones get -2, -3 and so on.',
    ),
    description: message('description').describe('Template of the tasks, with {}: the item as it stands in the list.'),
    items: z
      .array(z.string())
      .default([])
      .describe(`The items, one agent each; blank ones are left out. At most ${String(ITEM_LIMIT)}.`),
    max_concurrent: z
      .int()
      .min(1, 'max_concurrent is at least 1')
      .max(CONCURRENT_LIMIT, `max_concurrent is at most ${String(CONCURRENT_LIMIT)}`)
      .default(DEFAULT_CONCURRENT)
      .describe('How many of the agents work at a time.'),
    dry_run: z
      .boolean()
      .default(false)
      .describe('Check everything and show slugs and descriptions, but create nothing.'),
    ...shared,
  }),
  output: z.object({
    slugs: z.array(z.string()).describe('Slugs of the agents, in the order of the items.'),
    count: z.number().int().describe('How many there are.'),
    workspace: z.string().describe('Their workspace.'),
    failed: z.array(refusedItem).describe('Items for which no agent was created.'),
    descriptions: z.array(z.string()).optional().describe('Of a dry run: what each agent would read.'),
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
      { line: "each 'lint-{}' 'Run the linter on {}' < packages.txt", says: 'an agent for each line' },
      {
        line: "each --dry-run -d '\\0' 'fix-{}' 'Fix the types in {}'",
        says: 'what `find -print0` would give, without creating anything',
      },
    ],
  },
});
