// Which agent a call means.
import { accountProblem, resolveSlug, workspaceProblem } from '../contract/wire/identity.ts';
import type { SlugContext } from '../contract/wire/identity.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { may } from '../contract/wire/rights.ts';
import type { Caller } from '../contract/wire/rights.ts';
import { addressOfIdentity } from '../agents/names.ts';
import type { AgentAddress } from '../agents/names.ts';
import { notFound } from '../agents/find.ts';
import type { Call } from './handler.ts';
import type { ServerParts } from './parts.ts';

/**
 * The addressed agent. Throws INVALID_ARGUMENT, which quotes the input. Throws NOT_FOUND for an agent to which the
 * caller has no rights, the same as for one that does not exist. Counts calls that send something to the agent, and
 * throws RESOURCE_EXHAUSTED for too many.
 */
export function addressOf(
  parts: ServerParts,
  call: Call,
  input: { readonly slug: string; readonly workspace?: string | undefined },
): AgentAddress {
  const identity = resolveSlug(input.slug, contextOf(parts, call.caller, input.workspace));
  const agent = addressOfIdentity(identity, input.slug === '' ? undefined : input.slug);
  if (!may(call.caller, call.access, identity)) throw notFound(agent);
  if (call.access === 'message' || call.access === 'change') parts.allowances.rates.take(call, agent.path);
  return agent;
}

/** The base of the caller's slugs: a person's root agents, or an agent's children. */
export function contextOf(parts: ServerParts, caller: Caller, workspace: string | undefined): SlugContext {
  const { account, agent } = caller;
  if (agent === undefined) return { workspace: workspaceOf(parts, workspace), account, path: [] };
  if (workspace === undefined || workspace === '' || workspace === agent.workspace) return agent;
  throw new MurmurError('INVALID_ARGUMENT', `workspace ${JSON.stringify(workspace)} is not this agent's`, {
    hint: `an agent's children live in its own workspace, ${agent.workspace}; name others by their absolute path`,
    details: { field: 'workspace', value: workspace },
  });
}

/** The named or default workspace. Throws INVALID_ARGUMENT. */
export function workspaceOf(parts: ServerParts, name: string | undefined): string {
  if (name === undefined || name === '') return parts.settings.workspace;
  const problem = workspaceProblem(name);
  if (problem === undefined) return name;
  throw new MurmurError('INVALID_ARGUMENT', problem, { details: { field: 'workspace', value: name } });
}

/** Whose agents are meant: one developer's, or everybody's when it is undefined. Throws INVALID_ARGUMENT. */
export function accountOf(call: Call, developer: string | undefined): string | undefined {
  if (developer === undefined || developer === '') return call.account;
  if (developer === '*') return undefined;
  const problem = accountProblem(developer);
  if (problem === undefined) return developer;
  throw new MurmurError('INVALID_ARGUMENT', problem, { details: { field: 'developer', value: developer } });
}
