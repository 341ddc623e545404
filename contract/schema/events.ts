// Events of the log as viewers get them: the types of contract/wire/events.ts, with descriptions.
import { z } from 'zod';
import { costDelta } from './cost.ts';
import { phaseName } from './phase.ts';

/** An event's id: a decimal number that increases along the stream. */
export const eventId = z.string().describe('Id of the event; ids increase. Resume after it with `from`.');

/** Where to resume. */
export const fromEventId = z
  .string()
  .regex(/^\d{1,15}$/, 'from is not an event id: use an id that the stream gave, or "0" for the beginning')
  .default('0')
  .describe('Resume after this event id; `0` begins with the first event.');

const at = z.string().describe('When it happened, ISO 8601.');
const subagent = z.string().optional().describe('Id of the sub-agent that did it.');
const inputKind = z
  .enum(['prompt', 'queue', 'send', 'notify', 'child', 'system'])
  .describe(
    'How it reached the agent: at spawn, through the queue, past it, as a notice, from a child, or made by Murmur itself.',
  );

/** One input of a turn. */
export const turnInput = z.object({
  id: z.string().describe('Id of the message.'),
  kind: inputKind,
  from: z.string().describe('Account or agent that sent it.'),
  text: z.string().describe('The text, cut when long.'),
});

const turnStatus = z
  .enum(['completed', 'interrupted', 'api_error', 'limit', 'crashed', 'cut_off'])
  .describe('How the turn ended.');

/** What the agent program did. */
export const sessionEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('session_start'),
    session_id: z.string(),
    model: z.string(),
    resumed: z.boolean(),
    warning: z.string().optional().describe('A possible problem with this agent program, such as an untested version.'),
  }),
  z.object({ type: z.literal('turn_start'), turn_id: z.string(), turn: z.number(), inputs: z.array(turnInput) }),
  z.object({
    type: z.literal('user_text'),
    text: z.string(),
    notice: z
      .string()
      .optional()
      .describe('Id of the notice that the model got during the turn; absent for the prompt.'),
  }),
  z.object({ type: z.literal('assistant_text'), text: z.string(), subagent }),
  z.object({ type: z.literal('thinking'), text: z.string(), subagent }),
  z.object({
    type: z.literal('tool_use'),
    tool: z.string(),
    tool_use_id: z.string(),
    input: z.string().describe("JSON of the tool's input, cut when long."),
    subagent,
  }),
  z.object({
    type: z.literal('tool_result'),
    tool_use_id: z.string(),
    text: z.string(),
    is_error: z.boolean(),
    whole_bytes: z.number().optional().describe('Bytes of the whole result, when `text` is cut.'),
    subagent,
  }),
  z.object({
    type: z.literal('retry'),
    attempt: z.number(),
    max_attempts: z.number(),
    delay_ms: z.number(),
    http_status: z.number().optional(),
    error: z.string(),
  }),
  z.object({
    type: z.literal('usage'),
    used_usd: z.number().describe('Estimated usage of the running turn so far; reported under a budget.'),
  }),
  z.object({ type: z.literal('cost'), total_usd: z.number(), delta: costDelta }),
  z.object({ type: z.literal('error'), code: z.string(), message: z.string() }),
  z.object({
    type: z.literal('turn_complete'),
    turn_id: z.string(),
    turn: z.number(),
    status: turnStatus,
    response: z.string(),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
  }),
  z.object({ type: z.literal('session_end'), reason: z.string() }),
]);

/** What Murmur decided about the agent. */
export const lifecycleEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('phase'), phase: phaseName, reason: z.string().optional() }),
  z.object({ type: z.literal('taskComplete'), turn: z.number(), response: z.string() }),
  z.object({
    type: z.literal('followUp'),
    id: z.string(),
    from: z.string(),
    text: z.string(),
    how: inputKind,
  }),
  z.object({
    type: z.literal('commit'),
    sha: z.string(),
    subject: z.string(),
    branch: z.string(),
    repo: z.string(),
  }),
  z.object({ type: z.literal('push'), sha: z.string(), branch: z.string(), repo: z.string() }),
  z.object({
    type: z.literal('child'),
    slug: z.string().describe('The child.'),
    phase: phaseName,
    reason: z.string().optional(),
    response: z.string().optional().describe('Its last answer, cut.'),
    cost_usd: z.number().describe('Cost of the child and its descendants.'),
  }),
  z.object({ type: z.literal('upload'), filename: z.string(), url: z.string(), bytes: z.number() }),
  z.object({ type: z.literal('note'), text: z.string() }),
]);

/** One line of `session watch --json`. */
export const sessionEntry = z.object({ id: eventId, at, event: sessionEvent });

/** One line of `watch --json`. */
export const lifecycleEntry = z.object({ id: eventId, at, event: lifecycleEvent });

/** One turn, built from its events. */
export const turnView = z.object({
  turn: z.number().int().describe('Number of the turn, from 1.'),
  id: z.string().describe('Id of the turn.'),
  started_at: z.string().describe('ISO 8601.'),
  ended_at: z.string().optional().describe('ISO 8601; absent while the turn is in flight.'),
  status: turnStatus.optional(),
  description: z.string().describe('What the turn was asked: its first input.'),
  inputs: z.array(turnInput).describe('Everything that was asked, in order.'),
  response: z.string().optional().describe("The agent's last text."),
  error: z.object({ code: z.string(), message: z.string() }).optional().describe('Why the turn failed.'),
});
