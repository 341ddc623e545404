// A spawn with a flight: the new agent is the flight's pilot.
import type { spawn } from '../../contract/operations/spawn.ts';
import type { ParsedInputOf } from '../../contract/operation.ts';
import { parseFlight } from '../../contract/flight/parse.ts';
import { quoteValue } from '../../contract/schema/quote.ts';
import { PURPOSE_LIMIT } from '../../contract/wire/agent.ts';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { expandSlugs } from '../../contract/wire/fanout/template.ts';
import { flightKey } from '../../contract/wire/flight/messages.ts';
import type { StoredFlight } from '../../contract/wire/flight/messages.ts';
import { INPUTS_LIMIT } from '../../contract/wire/flight/plan.ts';
import type { FlightPlan } from '../../contract/wire/flight/plan.ts';
import type { ServerParts } from '../parts.ts';
import { graphText } from '../../contract/flight/graph-text.ts';

type SpawnInput = ParsedInputOf<typeof spawn>;

/** The flight that a spawn requests, checked. */
export interface FlightRequest {
  readonly plan: FlightPlan;
  /** JSON text. */
  readonly inputs?: string;
}

/**
 * The flight of a spawn, if any. Throws INVALID_ARGUMENT for an invalid file or invalid inputs. Throws
 * FAILED_PRECONDITION when only the file's name was sent: the server cannot read the caller's file.
 */
export function requestedFlight(input: SpawnInput): FlightRequest | undefined {
  const { flight, flight_source: source, flight_inputs: inputs } = input;
  if (flight === undefined) return undefined;
  if (source === undefined) {
    throw new MurmurError('FAILED_PRECONDITION', 'the API server cannot read the file that `flight` names', {
      hint: 'run `murmur mcp` or `murmur spawn --flight` where the file is, or send its text as `flight_source`',
      details: { field: 'flight' },
    });
  }
  const text = inputs === undefined ? undefined : inputsText(inputs);
  return { plan: parseFlight(source, flight), ...(text === undefined ? {} : { inputs: text }) };
}

/** What the pilot is spawned with: what the call says, then what the flight says. */
export function pilotInput(input: SpawnInput, { plan, inputs }: FlightRequest): SpawnInput {
  const { workspace, model, out, dequeue_strategy: strategy } = plan.settings;
  const isAlone = plan.nodes.length === 0;
  return {
    ...input,
    slug: input.slug === '' ? pilotSlug(input.flight ?? '') : input.slug,
    description: pilotPrompt(plan, inputs, input.description),
    workspace: input.workspace ?? workspace,
    model: input.model ?? model,
    // With a graph, `out` applies to its agents: the pilot's branch has no commits.
    out: input.out ?? (isAlone ? out : undefined),
    purpose: input.purpose ?? `flight ${plan.name}`.slice(0, PURPOSE_LIMIT),
    dequeue_strategy: input.dequeue_strategy === 'all' ? (strategy ?? 'all') : input.dequeue_strategy,
  };
}

/**
 * Stores the pilot's plan and returns its name and key. A flight without agents has no graph: the pilot is a normal
 * agent.
 */
export async function storePlan(
  parts: ServerParts,
  pilotId: string,
  spawnId: string,
  { plan, inputs }: FlightRequest,
): Promise<AgentSpec['flight']> {
  if (plan.nodes.length === 0) return undefined;
  const key = flightKey(pilotId, spawnId);
  const stored: StoredFlight = {
    plan,
    ...(inputs === undefined ? {} : { inputs }),
    tree_limit: parts.settings.limits.agents,
  };
  // Like the spec, the first stored plan of a spawn is kept: a repeated call finds both.
  await parts.objects.create(key, JSON.stringify(stored));
  return { name: plan.name.slice(0, 100), key };
}

/** `flight-deploy` for `deploy.md`. */
function pilotSlug(file: string): string {
  return expandSlugs('flight-{}', [file.replace(/\.md$/, '')])[0] ?? 'flight';
}

/** Throws INVALID_ARGUMENT for inputs that are not an object or are too long. */
function inputsText(inputs: string | Readonly<Record<string, unknown>>): string | undefined {
  const value = typeof inputs === 'string' ? parsed(inputs) : inputs;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidInputs(`flight_inputs is ${quoteValue(value)}: it needs an object`);
  }
  const text = JSON.stringify(value);
  if (text.length > INPUTS_LIMIT) {
    throw invalidInputs(`flight_inputs has ${String(text.length)} characters, the limit is ${String(INPUTS_LIMIT)}`);
  }
  return text === '{}' ? undefined : text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidInputs(`flight_inputs is ${quoteValue(text)}: it is not valid JSON`);
  }
}

function invalidInputs(message: string): MurmurError {
  return new MurmurError('INVALID_ARGUMENT', message, {
    hint: 'write an object, such as {"version": "2.1.0"}',
    details: { field: 'flight_inputs' },
  });
}

/** Notes, graph and inputs, then the description of the spawn. Without agents, the pilot does the work itself. */
function pilotPrompt(plan: FlightPlan, inputs: string | undefined, description: string): string {
  const notes = plan.notes === '' ? [] : [plan.notes];
  const given = inputs === undefined ? [] : [`Inputs, as JSON: ${inputs}`];
  const asked = description.trim() === '' ? [] : [description];
  if (plan.nodes.length === 0) return [`# ${plan.name}`, ...notes, ...given, ...asked].join('\n\n');
  return [
    `You are the pilot of the flight "${plan.name}".`,
    'Murmur itself runs its graph: it starts the agents below as your children, each when what it needs is done, and ' +
      'gives each its own task. Start none of them yourself, and do not do their work. You are told when an agent has ' +
      'failed, when the list that an `each` agent runs over is wanted of you, and when all are done: then you give the ' +
      'final answer. `flight_status` shows how far it is. A gate is approved by a person, never by you.',
    ...(notes.length === 0 ? [] : ['Notes of the flight:', ...notes]),
    `Graph, by steps:\n\n\`\`\`text\n${graphText(plan)}\n\`\`\``,
    ...given,
    ...asked,
    'Now end your turn with one line that says that you are ready.',
  ].join('\n\n');
}
