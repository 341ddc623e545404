// Builds all specs. A spec has everything that a spawn, a fan-out or a flight decides when it starts an agent.
import { randomUUID } from 'node:crypto';
import type { AgentSpec, BackendName, RepoSpec } from '../contract/wire/agent.ts';
import { defaultBranch, workflowIdOf } from '../contract/wire/identity.ts';
import { backendOf } from '../contract/wire/models.ts';
import type { StoredText } from '../contract/wire/turns.ts';
import type { ObjectStore } from '../drivers/objects/object-store.ts';
import { machineName, secretsRef, tokenId } from './names.ts';
import { storeText } from './texts.ts';

/** The decisions about a new agent, before long texts are stored. The spec omits empty and default values. */
export type SpecInput = OrUndefined<
  Omit<
    AgentSpec,
    | 'machine'
    | 'repos'
    | 'prompt'
    | 'backend'
    | 'append_system_prompt'
    | 'secrets'
    | 'token_id'
    | 'session_id'
    | 'created_at'
  >
> & {
  /** Provider of its machine. */
  readonly provider: string;
  /** Without a branch, the agent gets its own default branch. */
  readonly repos: readonly (Omit<RepoSpec, 'branch'> & { readonly branch?: string | null | undefined })[];
  /** Its first prompt. */
  readonly description: string;
  /** Default: the model's backend. */
  readonly backend?: BackendName | undefined;
  /** A text, or a reference to a stored one. */
  readonly append_system_prompt?: string | StoredText | undefined;
  /** Names of the spawn-time secrets. */
  readonly secret_names: readonly string[];
  /** Default: a new UUID. */
  readonly session_id?: string | undefined;
  /** Default: now. */
  readonly created_at?: string | undefined;
};

/** The same fields; optional ones may also be undefined. */
type OrUndefined<T> = { [Key in keyof T]: undefined extends T[Key] ? T[Key] | undefined : T[Key] };

/** Values that `makeSpec` cannot derive from its input. */
interface Made extends Pick<AgentSpec, 'prompt' | 'session_id' | 'created_at'> {
  readonly append_system_prompt: StoredText | undefined;
}

/**
 * Builds the spec of a new agent and stores long texts. Secrets and token are references. Throws the store's errors.
 */
export async function buildSpec(objects: ObjectStore, input: SpecInput): Promise<AgentSpec> {
  const { append_system_prompt: appended, identity, spawn_id: id } = input;
  const agent = workflowIdOf(identity);
  return makeSpec(input, {
    prompt: await storeText(objects, agent, { kind: 'prompt', id }, input.description),
    append_system_prompt:
      typeof appended === 'string' && appended !== ''
        ? await storeText(objects, agent, { kind: 'system', id }, appended)
        : textOf(appended),
    session_id: input.session_id ?? randomUUID(),
    created_at: input.created_at ?? new Date().toISOString(),
  });
}

function textOf(appended: SpecInput['append_system_prompt']): StoredText | undefined {
  return typeof appended === 'string' ? undefined : appended;
}

/** Pure: builds the spec, with the derived names of machine, secrets and token. */
export function makeSpec(input: SpecInput, made: Made): AgentSpec {
  const { provider, secret_names: names, description: _description, allow_repos: grants, ...decided } = input;
  const { identity, spawn_id: spawnId, completion_check: check, out } = decided;
  const agent = workflowIdOf(identity);
  return defined({
    ...decided,
    ...made,
    machine: { provider, name: machineName(agent, spawnId) },
    repos: input.repos.map((repo) => ({ ...repo, branch: repo.branch ?? defaultBranch(identity) })),
    allow_repos: grants?.length === 0 ? undefined : grants,
    backend: input.backend ?? backendOf(input.model),
    out: out === '' ? undefined : out,
    completion_check: check === 'none' ? undefined : check,
    secrets: { ref: secretsRef(agent, spawnId), names },
    token_id: tokenId(agent, spawnId),
  });
}

/** The object without its undefined fields. */
function defined<T extends object>(fields: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
}
