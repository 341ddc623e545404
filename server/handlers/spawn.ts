// Starts an agent's workflow, once.
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { parentOf, resolveSlug } from '../../contract/wire/identity.ts';
import { maySpawn } from '../../contract/wire/rights.ts';
import { addressOfIdentity, machineName, nameFor } from '../../agents/names.ts';
import { discardSpawn, prepareSpawn, startAgent } from '../../agents/start.ts';
import type { NotStarted, StartSite } from '../../agents/start.ts';
import {
  countTree,
  describeExecution,
  ended,
  explainRefusal,
  notFound,
  readExecution,
  runsAlready,
} from '../../agents/find.ts';
import type { Execution } from '../../agents/find.ts';
import { contextOf } from '../address.ts';
import type { AgentAddress } from '../../agents/names.ts';
import { readRecord } from '../../agents/record.ts';
import { specOfSpawn } from '../spawn-spec.ts';
import { inTime } from '../../agents/temporal.ts';
import { findWaiting } from '../../agents/fanouts/plans.ts';
import { pilotInput, requestedFlight } from '../flights/spawn.ts';
import type { ServerParts } from '../parts.ts';
import type { Answer, Call, Handler } from '../handler.ts';

export const spawn: Handler<'spawn'> = async (parts, asked, call) => {
  if (asked.each !== undefined) throw fileOfCaller();
  const flight = requestedFlight(asked);
  const input = flight === undefined ? asked : pilotInput(asked, flight);
  const agent = newAgent(parts, call, input);
  const record = await readRecord(parts, agent.id);
  if (record !== undefined) {
    // The caller repeats a call whose answer was lost, and the agent has already ended.
    if (record.spec.spawn_id === call.id) return answerOf(agent, call);
    throw ended(agent, record.status.phase);
  }
  if ((await findWaiting(parts, agent)) !== undefined) throw runsAlready(agent);
  await checkLimits(parts, agent);
  if (flight !== undefined && flight.plan.nodes.length > 0) checkDepth(parts, childLevel(agent));
  const spec = await specOfSpawn(parts, agent, input, call, flight);
  await start(parts, agent, spec, input);
  return answerOf(agent, call);
};

/** Only a client on the caller's host can read the file. */
function fileOfCaller(): MurmurError {
  return new MurmurError('FAILED_PRECONDITION', 'the API server cannot read the file that `each` names', {
    hint: 'run `murmur mcp` or `murmur each` where the file is, or send its lines as `items` of the operation `each`',
    details: { field: 'each' },
  });
}

/**
 * Throws INVALID_ARGUMENT with the slug as typed, NOT_FOUND for a parent under which the caller may not spawn, and
 * PERMISSION_DENIED for fields that agents may not set. A child counts as a message to its parent.
 */
export function newAgent(
  parts: ServerParts,
  call: Call,
  input: {
    readonly slug: string;
    readonly workspace?: string | undefined;
    readonly rights?: 'owner' | undefined;
    readonly secrets: Readonly<Record<string, string>>;
    readonly allow_repos: readonly string[];
  },
): AgentAddress {
  // Only people may set a child's environment: an agent must not gain rights through a child.
  if (call.caller.agent !== undefined && Object.keys(input.secrets).length > 0) {
    throw new MurmurError('PERMISSION_DENIED', 'an agent cannot set `secrets`', {
      hint: 'a person gives them: `murmur spawn -e NAME`',
      details: { field: 'secrets' },
    });
  }
  if (input.rights !== undefined && call.caller.agent !== undefined) {
    throw new MurmurError('PERMISSION_DENIED', "an agent cannot give owner's rights", { details: { field: 'rights' } });
  }
  if (input.allow_repos.length > 0 && call.caller.agent !== undefined) {
    throw new MurmurError('PERMISSION_DENIED', 'an agent cannot allow repositories', {
      hint: 'a person allows them at the spawn of the root: --allow-repo <URL or host/path>',
      details: { field: 'allow_repos' },
    });
  }
  const identity = resolveSlug(input.slug, contextOf(parts, call.caller, input.workspace));
  const agent = addressOfIdentity(identity, nameFor(call.caller, identity));
  const parent = parentOf(identity);
  const above = parent === undefined ? agent : addressOfIdentity(parent);
  if (!maySpawn(call.caller, identity)) throw notFound(above);
  if (parent !== undefined) parts.allowances.rates.take(call, above.path);
  return agent;
}

/** Throws RESOURCE_EXHAUSTED for an agent beyond the depth limit. */
export function checkDepth(parts: ServerParts, { identity }: AgentAddress): void {
  const { depth } = parts.settings.limits;
  if (identity.path.length > depth) {
    throw new MurmurError('RESOURCE_EXHAUSTED', `a tree of agents has at most ${String(depth)} levels`, {
      hint: 'let an agent higher up spawn it, or raise MURMUR_MAX_DEPTH',
      details: { limit: depth },
    });
  }
}

/** The address of a child, to check the depth of a flight's agents. */
function childLevel({ identity }: AgentAddress): AgentAddress {
  return addressOfIdentity({ ...identity, path: [...identity.path, 'agent'] });
}

/** Throws RESOURCE_EXHAUSTED for a tree that has reached its limits. */
async function checkLimits(parts: ServerParts, agent: AgentAddress): Promise<void> {
  checkDepth(parts, agent);
  const { identity } = agent;
  const { agents } = parts.settings.limits;
  const [root = ''] = identity.path;
  if (identity.path.length === 1) return;
  const living = await inTime(parts, () => countTree(parts.temporal, { ...identity, path: [root] }));
  if (living < agents) return;
  throw new MurmurError('RESOURCE_EXHAUSTED', `the tree of ${root} has ${String(living)} living agents`, {
    hint: `wait for some to end, or raise MURMUR_MAX_AGENTS (${String(agents)})`,
    details: { limit: agents },
  });
}

/** Starts it with what is stored before. What was not started leaves nothing. */
async function start(
  parts: ServerParts,
  agent: AgentAddress,
  spec: AgentSpec,
  given: Parameters<typeof prepareSpawn>[2],
): Promise<void> {
  const { temporal: client, taskQueue, timing } = parts;
  const site: StartSite = {
    client,
    taskQueue,
    inTime: (act, call) => inTime(parts, act, call === 'update' ? timing.update : timing.temporalCall),
  };
  let prepared: AgentSpec;
  try {
    prepared = await prepareSpawn(parts, spec, given);
  } catch (error) {
    // It may have been prepared, and started, by an earlier attempt of this call.
    if ((await describeExecution(parts, agent))?.memo.spawn_id === spec.spawn_id) return;
    await discardSpawn(parts, spec);
    throw error;
  }
  // When Temporal does not tell, what was stored stays: the agent may have been started with it.
  const refused = await startAgent(site, prepared);
  if (refused === undefined) return;
  await discardSpawn(parts, spec);
  await explain(parts, agent, refused);
}

/** Throws what a refusal means to the caller. */
async function explain(parts: ServerParts, agent: AgentAddress, { cause, other }: NotStarted): Promise<never> {
  if (cause instanceof WorkflowExecutionAlreadyStartedError) {
    throw taken(agent, other === undefined ? undefined : readExecution(other));
  }
  const parent = parentOf(agent.identity);
  if (parent === undefined) throw cause;
  return await explainRefusal(parts, addressOfIdentity(parent), cause);
}

function taken(agent: AgentAddress, execution: Execution | undefined): MurmurError {
  if (execution?.closed === true) return ended(agent, execution.phase);
  return runsAlready(agent);
}

function answerOf(agent: AgentAddress, call: Call): Answer<'spawn'> {
  return {
    slug: agent.slug,
    workspace: agent.identity.workspace,
    path: agent.path,
    phase: 'starting',
    vm: machineName(agent.id, call.id),
  };
}
