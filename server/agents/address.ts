// Which agent a call means.
import { absolutePathOf, resolveSlug, workflowIdOf, workspaceProblem } from '../../contract/wire/identity.ts';
import type { AgentIdentity } from '../../contract/wire/identity.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { Call } from '../handlers/handler.ts';
import type { ServerParts } from '../parts.ts';

/** An agent as it was named and as it is known. */
export interface AgentAddress {
  /** As typed. */
  readonly slug: string;
  readonly identity: AgentIdentity;
  /** Workflow id, and its key in event log and object store. */
  readonly id: string;
  /** Absolute path. */
  readonly path: string;
}

/** Throws INVALID_ARGUMENT, quoting what was typed. */
export function addressOf(
  parts: ServerParts,
  call: Call,
  input: { readonly slug: string; readonly workspace?: string | undefined },
): AgentAddress {
  const workspace = workspaceOf(parts, input.workspace);
  const identity = resolveSlug(input.slug, { workspace, account: call.account, path: [] });
  return addressOfIdentity(identity, input.slug);
}

/** The address of a known identity. */
export function addressOfIdentity(identity: AgentIdentity, slug = identity.path.join('/')): AgentAddress {
  return { slug, identity, id: workflowIdOf(identity), path: absolutePathOf(identity) };
}

/** The workspace that is meant. Throws INVALID_ARGUMENT. */
export function workspaceOf(parts: ServerParts, name: string | undefined): string {
  if (name === undefined || name === '') return parts.settings.workspace;
  const problem = workspaceProblem(name);
  if (problem === undefined) return name;
  throw new MurmurError('INVALID_ARGUMENT', problem, { details: { field: 'workspace', value: name } });
}
