// An agent's identity and its written forms. Loaded by the workflow sandbox: imports only the error class.
import { MurmurError } from './errors.ts';

/** Identifies an agent in an installation. The workflow id is built from these fields only. */
export interface AgentIdentity {
  /** DNS label. */
  readonly workspace: string;
  /** Login of the owner: lower case letters, digits, `.`, `_`, `-`. */
  readonly account: string;
  /** Slugs from the root agent down to this one; never empty. */
  readonly path: readonly string[];
}

/** RFC 1123 label, for slugs and workspace names. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const ACCOUNT = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9_-])?$/;

const LABEL_RULE = '1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends';

/** What is wrong with a slug, quoted as given, or undefined. */
export function slugProblem(slug: string): string | undefined {
  return LABEL.test(slug) ? undefined : `slug ${JSON.stringify(slug)} is not valid: it needs ${LABEL_RULE}`;
}

/** What is wrong with a workspace name, or undefined. */
export function workspaceProblem(name: string): string | undefined {
  return LABEL.test(name) ? undefined : `workspace ${JSON.stringify(name)} is not valid: it needs ${LABEL_RULE}`;
}

/** What is wrong with an account name, or undefined. */
export function accountProblem(name: string): string | undefined {
  return ACCOUNT.test(name)
    ? undefined
    : `account ${JSON.stringify(name)} is not valid: it needs lower-case letters, digits, ".", "_" or "-"`;
}

/** A valid account name for a system user such as `DOMAIN\Jane Doe`. */
export function accountOfUser(user: string): string {
  const name = user
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
    .slice(0, 63)
    .replace(/[.]+$/, '');
  return name === '' ? 'user' : name;
}

/** `w/<workspace>/u/<account>/<slug>[/<child>…]`: the Temporal workflow id. */
export function workflowIdOf(identity: AgentIdentity): string {
  return `w/${identity.workspace}/u/${identity.account}/${identity.path.join('/')}`;
}

/** `/w/<workspace>/u/<account>/<slug>[/<child>…]`: the absolute path that surfaces print. */
export function absolutePathOf(identity: AgentIdentity): string {
  return `/${workflowIdOf(identity)}`;
}

/** The inverse of `workflowIdOf`; undefined for an id that is not an agent's. */
export function parseWorkflowId(id: string): AgentIdentity | undefined {
  const [w, workspace, u, account, ...path] = id.split('/');
  if (w !== 'w' || u !== 'u' || workspace === undefined || account === undefined || path.length === 0) return undefined;
  if (workspaceProblem(workspace) ?? accountProblem(account) ?? path.map(slugProblem).find((p) => p !== undefined))
    return undefined;
  return { workspace, account, path };
}

/** The parent; undefined for a root agent. */
export function parentOf(identity: AgentIdentity): AgentIdentity | undefined {
  return identity.path.length < 2 ? undefined : { ...identity, path: identity.path.slice(0, -1) };
}

/** The context of relative slugs: a person's root agents or an agent's children. */
export interface SlugContext {
  readonly workspace: string;
  readonly account: string;
  /** Slugs of the calling agent; empty for a person. */
  readonly path: readonly string[];
}

/**
 * Resolves a reference to an identity. Accepted: `slug`, `slug/child`, `/u/<account>/<slug>`,
 * `/w/<workspace>/u/<account>/<slug>`, and any provider token in the place of `u` (the product's older form).
 * An empty reference means the calling agent itself.
 * Throws INVALID_ARGUMENT, which quotes the reference as given.
 */
export function resolveSlug(reference: string, context: SlugContext): AgentIdentity {
  const identity = readReference(reference, context);
  const problem =
    workspaceProblem(identity.workspace) ??
    accountProblem(identity.account) ??
    identity.path.map(slugProblem).find((each) => each !== undefined);
  if (problem !== undefined) {
    throw new MurmurError('INVALID_ARGUMENT', problem, { details: { reference } });
  }
  return identity;
}

function readReference(reference: string, context: SlugContext): AgentIdentity {
  if (reference === '') {
    if (context.path.length > 0) return context;
    throw new MurmurError('INVALID_ARGUMENT', 'slug required', { hint: 'name the agent; `murmur ls` lists yours' });
  }
  if (!reference.startsWith('/')) {
    return { workspace: context.workspace, account: context.account, path: [...context.path, ...reference.split('/')] };
  }
  const parts = reference.slice(1).split('/');
  if (parts[0] === 'w' && parts.length >= 5) {
    return { workspace: parts[1] ?? '', account: parts[3] ?? '', path: parts.slice(4) };
  }
  if (parts[0] === 'u' && parts.length >= 3) {
    return { workspace: context.workspace, account: parts[1] ?? '', path: parts.slice(2) };
  }
  throw new MurmurError(
    'INVALID_ARGUMENT',
    `path ${JSON.stringify(reference)} is not valid: an absolute path is /w/<workspace>/u/<account>/<slug> or /u/<account>/<slug>`,
    { details: { reference } },
  );
}

/**
 * The default working branch of an agent. Slugs are joined by `_`: git cannot have both `…/lead` and `…/lead/kid`, and
 * a slug cannot contain `_`.
 */
export function defaultBranch(identity: AgentIdentity): string {
  return `murmur/${identity.workspace}/${identity.account}/${identity.path.join('_')}`;
}
