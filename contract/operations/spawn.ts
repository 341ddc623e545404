// Creates an agent.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { workspaceName } from '../schema/address.ts';
import { budgetUsd } from '../schema/cost.ts';
import { phaseName } from '../schema/phase.ts';
import { branchName, repoGrants, repoInput } from '../schema/repo.ts';
import { spawnSecrets } from '../schema/secrets.ts';
import { modelName, taskSubjects } from '../schema/text.ts';
import { ASSESSMENT_LIMIT, COMPLETION_CHECKS } from '../wire/assessment.ts';
import { REFUSED_SECRET_NAMES } from '../wire/secret-names.ts';
import { DEQUEUE_STRATEGIES, ON_IDLE, PURPOSE_LIMIT } from '../wire/agent.ts';

const REFUSED_TEXT = Object.entries(REFUSED_SECRET_NAMES)
  .map(([kind, names]) => `${kind} (${names.map((name) => `\`${name}\``).join(', ')})`)
  .join('; ');

export const spawn = defineOperation({
  name: 'spawn',
  summary: 'create an agent and give it its task',
  description:
    'Creates an agent on its own machine, clones its repositories on working branches and starts its first turn. Returns ' +
    'as soon as the agent exists; call `wait` to wait for its work. An agent clones from the remote, never from a work ' +
    'tree, so push first. If an agent with the slug is running, fails: send it a follow-up with `queue_add`.',
  input: z
    .strictObject({
      slug: z
        .string('slug must be a string')
        .default('')
        .describe(
          'Name of the new agent, such as `fix-auth-bug`: 1 to 63 lower-case letters, digits and hyphens. When an agent ' +
            'spawns, the new agent is its child. `lead/docs` or an absolute path names a child of another living agent. ' +
            'Required, except for a flight, which defaults to `flight-<name>`.',
        ),
      description: z
        .string('description must be a string')
        .default('')
        .describe('The task, as the agent reads it. Required, except for a flight.'),
      workspace: workspaceName,
      repos: z
        .array(repoInput)
        .max(20, 'at most 20 repositories')
        .default([])
        .describe(
          'Repositories to clone. If empty, the agent starts in an empty directory. An agent can name its own ' +
            "repositories, its root's, and the ones that a person allowed.",
        ),
      allow_repos: repoGrants.describe(
        'Further remote repositories that the agent and its descendants can clone, fetch and push: URLs or ' +
          '`host/path`, such as `github.com/acme`, which covers https and ssh. Only a person can set this.',
      ),
      branch: branchName
        .optional()
        .describe(
          'Working branch for every repository; `repos[].branch` wins. Default: `murmur/<workspace>/<account>/<slug>`.',
        ),
      purpose: z
        .string()
        .max(PURPOSE_LIMIT, `purpose has at most ${String(PURPOSE_LIMIT)} characters`)
        .optional()
        .describe(
          `One sentence that says what the agent is for, shown to people. At most ${String(PURPOSE_LIMIT)} characters.`,
        ),
      model: modelName.optional().describe("Model of the agent program. Default: the program's own."),
      out: z
        .string()
        .max(16_384, 'out has at most 16384 characters')
        .optional()
        .describe(
          'What to deliver: `push` (commit and push, no pull request), `respond` (answer only, no code changes), or ' +
            'free text for the agent.',
        ),
      tasks: taskSubjects.describe('Checklist items that the agent must complete before it idles.'),
      append_system_prompt: z.string().optional().describe("Text appended to the agent's system prompt."),
      dequeue_strategy: z
        .enum(DEQUEUE_STRATEGIES)
        .default('all')
        .describe('How many queued follow-ups one turn takes: `all`, `one`, or up to `five`.'),
      on_idle: z
        .enum(ON_IDLE)
        .default('keep_alive')
        .describe(
          'What happens when a turn has ended and the queue is empty: `keep_alive` stays reachable, `terminate` ends the agent.',
        ),
      completion_check: z
        .enum(COMPLETION_CHECKS)
        .default('none')
        .describe(
          '`assessor`: before the agent idles, a separate read-only session judges whether the task is done. Missing work ' +
            `becomes the next turn, at most ${String(ASSESSMENT_LIMIT)} times.`,
        ),
      max_cost_usd: budgetUsd
        .optional()
        .describe(
          'Cost limit of the agent and its descendants, in US dollars. At the limit they park and keep their work.',
        ),
      rights: z
        .enum(['owner'])
        .optional()
        .describe(
          '`owner` lets the agent steer all agents of its owner, not only its descendants. Only a person can set this.',
        ),
      each: z
        .string()
        .min(1, 'each names no file')
        .optional()
        .describe(
          'Fan-out: path of a file with one item per line, read where `murmur` runs. Creates one agent for each line; {} in ' +
            'slug and description is required and stands for the item. Returns `slugs` and `count`.',
        ),
      flight: z
        .string('flight must be a string')
        .min(1, 'flight names no file')
        .max(200, 'flight has at most 200 characters')
        .optional()
        .describe(
          'Path of a flight relative to `.murmur/flights/` of the repository where `murmur` runs, such as `deploy.md`. The ' +
            'new agent becomes its pilot, and the agents of the graph run as its children.',
        ),
      flight_source: z
        .string('flight_source must be a string')
        .optional()
        .describe('Text of the flight, which clients read from the file that `flight` names.'),
      flight_inputs: z
        .union([z.record(z.string(), z.unknown()), z.string()], 'flight_inputs must be an object')
        .optional()
        .describe('Inputs of the flight, for its pilot and all its agents: an object, or its JSON text.'),
      secrets: spawnSecrets.describe(
        'Environment variables for this agent only, name to value. Stored outside the history, deleted when it ends. ' +
          'Only a person can set this. A name has A-Z, 0-9 and `_`. Names that programs read as settings are ' +
          `refused: ${REFUSED_TEXT}. Model keys are allowed (\`ANTHROPIC_API_KEY\`, ` +
          '`ANTHROPIC_AUTH_TOKEN`, `CLAUDE_CODE_OAUTH_TOKEN`, `OPENAI_API_KEY`, `CODEX_API_KEY`); the agent then receives ' +
          "none of the operator's keys for that program. A model address (`ANTHROPIC_BASE_URL`, `OPENAI_BASE_URL`) needs such a key.",
      ),
    })
    .superRefine((input, context) => {
      const missing = input.flight === undefined ? (['slug', 'description'] as const) : [];
      for (const field of missing) {
        if (!/\S/.test(input[field])) context.addIssue({ code: 'custom', path: [field], message: `${field} required` });
      }
      for (const field of ['flight_source', 'flight_inputs'] as const) {
        if (input.flight !== undefined || input[field] === undefined) continue;
        context.addIssue({ code: 'custom', path: [field], message: `${field} is only used with flight` });
      }
      if (input.flight !== undefined && input.each !== undefined) {
        context.addIssue({ code: 'custom', path: ['each'], message: 'each and flight exclude each other' });
      }
    }),
  output: z.object({
    slug: z.string().describe('Slug of the new agent.'),
    workspace: z.string().describe('Its workspace.'),
    path: z.string().describe('Its absolute path.'),
    phase: phaseName,
    vm: z.string().describe('Name of its machine.'),
  }),
  errors: [
    'INVALID_ARGUMENT',
    'ALREADY_EXISTS',
    'FAILED_PRECONDITION',
    'NOT_FOUND',
    'PERMISSION_DENIED',
    'RESOURCE_EXHAUSTED',
  ],
  hints: { readOnly: false, destructive: false, idempotent: false },
  // The inputs are of no use without their flight.
  local: ['each', 'flight', 'flight_inputs'],
  mcp: { without: ['secrets', 'rights', 'flight_source', 'allow_repos'] },
  cli: {
    command: 'spawn',
    args: ['slug', 'description'],
    argNames: { description: 'prompt' },
    rest: 'description',
    optional: ['slug'],
    flags: {
      flight_source: { hidden: true },
      repos: {
        name: 'repo',
        help: "Repository to clone, as URL, URL=base or URL=base:working; repeatable. Default: the current directory's origin at its pushed branch.",
      },
      allow_repos: {
        name: 'allow-repo',
        help: 'Remote repository that the agent and its descendants can clone, fetch and push, as a URL or host/path; repeatable.',
      },
      max_cost_usd: {
        name: 'max-cost',
        help: 'Cost limit of the agent and its descendants, in US dollars.',
      },
      tasks: { name: 'task', help: 'Checklist item that the agent must complete; repeatable.' },
      secrets: {
        name: 'env',
        char: 'e',
        help: 'Secret for this agent only: FOO from the environment, FOO=- from standard input; repeatable.',
      },
    },
    examples: [
      { line: 'spawn fix-auth "Fix the session timeout"', says: 'in the current repository' },
      {
        line: 'spawn docs-pass --repo https://git.example.com/shop/api=main --out push Update the API docs',
        says: 'in another repository, and push the result',
      },
      {
        line: 'spawn lead --allow-repo github.com/acme Change the name of the product in all our repositories',
        says: 'its agents can use all repositories of acme',
      },
      {
        line: 'spawn --flight deploy.md --flight-inputs \'{"version": "2.1.0"}\'',
        says: 'a graph of agents, from .murmur/flights/deploy.md',
      },
    ],
  },
});
