// The state of an agent as the operations return it. Fields without a value are absent.
import { z } from 'zod';
import { DEQUEUE_STRATEGIES, ON_IDLE } from '../wire/agent.ts';
import { budgetView, costTotal } from './cost.ts';
import { lifecycleEvent } from './events.ts';
import { phaseName } from './phase.ts';

const machineView = z.object({
  name: z.string().describe('Name of the machine.'),
  provider: z.string().describe('Who provides it.'),
  isolation: z.string().describe("How the agent's processes are isolated from the host."),
  state: z.enum(['provisioning', 'running', 'stopped', 'gone']),
});

const limitsView = z.object({
  processes: z.number().int().optional().describe('Processes and threads at once.'),
  memory_mb: z.number().int().optional().describe('Memory, in MiB.'),
  shm_mb: z.number().int().optional().describe('Size of its /dev/shm, in MiB.'),
  disk_mb: z.number().int().optional().describe('Size of its files, in MiB.'),
  uploads_mb: z.number().int().describe('Size of all its uploads, in MiB.'),
  messages_per_second: z.number().int().describe('Messages that it may send to one agent per second.'),
  queued_mb: z.number().int().describe('Size of its messages that wait at one agent, in MiB.'),
});

const branchState = z.object({
  repo: z.string().describe('Clone URL.'),
  branch: z.string(),
  head: z.string().describe('Its newest commit.'),
  pushed: z.boolean().describe('Whether `origin` has the branch at this commit.'),
  dirty_files: z.number().describe('Uncommitted and untracked files.'),
});

const timelineEntry = z.intersection(
  lifecycleEvent,
  z.object({ at: z.string().describe('ISO 8601.'), by: z.string().optional().describe('Who caused it.') }),
);

/** The agent's latest action: `[tool] Bash(npm test)`, `[text] …`, `[commit] …`, `[push] …`. */
export const progressFields = {
  progress: z.string().optional().describe('What it did last, as `[label] detail`.'),
  progress_at: z.string().optional().describe('When that was, ISO 8601.'),
} as const;

/** A child in its parent's registry. */
const childView = z.object({
  slug: z.string(),
  phase: phaseName,
  phase_since: z.string().describe('ISO 8601.'),
  reason: z.string().optional(),
  purpose: z.string().optional(),
  response: z.string().optional().describe('Start of its last answer.'),
  branches: z.array(z.string()).optional().describe('Its working branches.'),
  cost_usd: z.number().describe('Cost of the child and its descendants, in US dollars.'),
  flight: z.literal(true).optional().describe('It works for the flight that the agent pilots.'),
});

/** The full state of an agent. */
export const agentStatus = z.object({
  slug: z.string().describe('Slug, with the slugs of its parents before it.'),
  workspace: z.string(),
  account: z.string().describe('Owner.'),
  path: z.string().describe('Absolute path, usable wherever a slug is.'),
  workflow: z.string().describe("Id of the agent's workflow in Temporal."),
  phase: phaseName,
  phase_since: z.string().optional().describe('ISO 8601.'),
  reason: z.string().optional().describe('Why it is in this phase and what to do, unless that is obvious.'),
  parked: z
    .object({ reason: z.string(), retry_at: z.string().optional().describe('Absent if only a person can end it.') })
    .optional()
    .describe('Set when the agent waits for more than a follow-up.'),
  stale: z
    .string()
    .optional()
    .describe('Why this may be out of date: no worker answered, and only what Temporal lists is shown.'),
  purpose: z.string().optional().describe('One sentence on what it is for.'),
  model: z.string().optional(),
  out: z.string().optional().describe('What it is expected to deliver.'),
  on_idle: z.enum(ON_IDLE).optional(),
  dequeue_strategy: z.enum(DEQUEUE_STRATEGIES).optional(),
  working_on: z.string().optional().describe('The input it works on, or worked on last.'),
  queued: z.array(z.string()).describe('Follow-ups that wait, in order.'),
  vm: machineView.optional().describe('The machine it runs on.'),
  temporal_open: z
    .string()
    .optional()
    .describe(
      'Why agents and every other process of the host can use Temporal without credentials. Absent: they cannot.',
    ),
  limits: limitsView
    .optional()
    .describe(
      'Limits in force, of a living agent in `status`. The limits of its machine are absent if it was created without.',
    ),
  turn: z
    .object({
      number: z.number().int(),
      id: z.string(),
      running: z.boolean(),
      started_at: z.string(),
    })
    .optional()
    .describe('The running turn, or the last.'),
  saved_turn: z.number().int().optional().describe('Last turn whose work is stored outside the machine.'),
  ...progressFields,
  response: z.string().optional().describe('Its last answer.'),
  branches: z.array(branchState).describe('Its working branches.'),
  commits: z.number().int().describe('Commits that it made.'),
  prs: z.array(z.string()).describe('URLs of its pull requests.'),
  cost: costTotal,
  budget: budgetView.optional().describe('Present when its cost is limited.'),
  children: z.array(childView).optional().describe('Its children; present when `children` was asked for.'),
  tasks: z.object({ total: z.number().int(), open: z.number().int() }).describe('Its checklist, counted.'),
  timeline: z.array(timelineEntry).optional().describe('Present when `timeline` was asked for.'),
  created_at: z.string().optional().describe('ISO 8601.'),
  ended_at: z.string().optional().describe('ISO 8601.'),
  undelivered: z.array(z.string()).optional().describe('Messages that were not delivered before it ended.'),
  pending_input: z.boolean().describe('Whether a message to it has not been answered by a turn yet.'),
});

/** One row of `ls`. */
export const agentSummary = z.object({
  slug: z.string().describe('Slug; a child as `parent/child`.'),
  path: z.string().describe('Absolute path.'),
  phase: phaseName,
  vm: z.string().optional().describe('Name of its machine.'),
  ...progressFields,
  cost: z.number().describe('US dollars so far.'),
  purpose: z.string().optional(),
  created_at: z.string().optional().describe('ISO 8601.'),
});

/** One line of a kill receipt. */
export const receiptLine = z.object({
  path: z.string().describe('Absolute path of the agent.'),
  phase: phaseName,
  machine: z.string().describe('Name of its machine.'),
  machine_state: z.string().describe('`destroyed`, or why not.'),
  snapshot: z.string().optional().describe('Object store key of its final snapshot.'),
  cost_usd: z.number(),
});
