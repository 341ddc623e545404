// Starts an agent of a flight, like a spawn by the pilot.
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { ERRORS, MurmurError } from '../../contract/wire/errors.ts';
import { flightIdOf } from '../../contract/wire/flight/messages.ts';
import type { StartNodeInput } from '../../contract/wire/flight/messages.ts';
import { absolutePathOf, slugProblem, workflowIdOf } from '../../contract/wire/identity.ts';
import { recordKey } from '../../contract/wire/object-keys.ts';
import { AGENT_TOKEN } from '../../contract/wire/tokens.ts';
import { discardSpawn, prepareSpawn } from '../../agents/start.ts';
import { buildSpec } from '../../agents/spec.ts';
import type { FanoutPorts } from '../fanout/ports.ts';

/** What the activities of a flight work with. */
export type FlightPorts = Omit<FanoutPorts, 'events'>;

/** The node to start, with its pilot's sealed spec. */
type AdmittedNode = StartNodeInput & { readonly pilot: AgentSpec };

/**
 * `startNode`: idempotent, because each agent has its own spawn id. Throws retryable errors, and INVALID_ARGUMENT for
 * an invalid slug.
 */
export async function startNode(ports: FlightPorts, input: AdmittedNode): Promise<void> {
  const { pilot, slug, tree_limit: limit } = input;
  const problem = slugProblem(slug);
  if (problem !== undefined) throw new MurmurError('INVALID_ARGUMENT', problem);
  const [root = ''] = pilot.identity.path;
  const living = await ports.starter.countTree({ ...pilot.identity, path: [root] });
  if (living >= limit) {
    throw new MurmurError('RESOURCE_EXHAUSTED', `the tree of ${root} has ${String(living)} living agents`, {
      details: { limit },
    });
  }
  const spec = await specOf(ports, input);
  // An earlier attempt started it, and it has ended already. Its token and secrets must not be stored again.
  if ((await ports.objects.get(recordKey(workflowIdOf(spec.identity)))) !== undefined) {
    return await ports.starter.start(spec);
  }
  try {
    await ports.starter.start(await prepareSpawn(ports, spec, { secrets: await secretsOf(ports, pilot) }));
  } catch (error) {
    // After a retryable error it may have been started, so it keeps its token and secrets.
    if (error instanceof MurmurError && !ERRORS[error.code].retryable) {
      await discardSpawn(ports, spec);
    }
    throw error;
  }
}

async function specOf({ objects }: FlightPorts, input: AdmittedNode): Promise<AgentSpec> {
  const { pilot, slug, model, branch } = input;
  return await buildSpec(objects, {
    identity: { ...pilot.identity, path: [...pilot.identity.path, slug] },
    spawn_id: input.spawn_id,
    provider: pilot.machine.provider,
    repos: pilot.repos.map((repo) => ({ ...repo, branch })),
    allow_repos: pilot.allow_repos,
    description: input.prompt,
    purpose: input.purpose,
    // With its own model, the agent has that model's backend.
    backend: model === undefined ? pilot.backend : undefined,
    model,
    out: input.out,
    on_idle: input.on_idle,
    dequeue_strategy: 'all',
    tasks: [],
    secret_names: pilot.secrets?.names ?? [],
    session_id: input.session_id,
    created_at: input.created_at,
    created_by: absolutePathOf(pilot.identity),
    for_flight: flightIdOf(pilot.identity),
  });
}

/** The secrets of the flight's agents: those of the pilot, without the pilot's own token. */
async function secretsOf({ secrets }: FlightPorts, { secrets: given }: AgentSpec): Promise<Record<string, string>> {
  const { [AGENT_TOKEN]: _own, ...rest } = given === undefined ? {} : await secrets.get(given.ref);
  return rest;
}
