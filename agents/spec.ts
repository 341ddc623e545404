// The only maker of specs. A spec holds everything that a spawn, a fan-out or a flight decides when it starts an agent.
import { randomUUID } from 'node:crypto';
import type { AgentSpec, BackendName, RepoSpec } from '../contract/wire/agent.ts';
import { defaultBranch, workflowIdOf } from '../contract/wire/identity.ts';
import { backendOf } from '../contract/wire/models.ts';
import type { StoredText } from '../contract/wire/turns.ts';
import type { ObjectStore } from '../drivers/objects/object-store.ts';
import { machineName, secretsRef, tokenId } from './names.ts';
import { storeText } from './texts.ts';

/** What was decided about a new agent, before long texts are stored. Absent, empty and default values are left out. */
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
  /** Without a named branch the agent works on one of its own. */
  readonly repos: readonly (Omit<RepoSpec, 'branch'> & { readonly branch?: string | null | undefined })[];
  /** Its first prompt. */
  readonly description: string;
  /** That of the model unless given. */
  readonly backend?: BackendName | undefined;
  /** Text, or where it is stored already. */
  readonly append_system_prompt?: string | StoredText | undefined;
  /** Names of the spawn-time secrets. */
  readonly secret_names: readonly string[];
  /** Made unless given. */
  readonly session_id?: string | undefined;
  /** Now unless given. */
  readonly created_at?: string | undefined;
};

/** The same fields; those that may be absent may be undefined as well. */
type OrUndefined<T> = { [Key in keyof T]: undefined extends T[Key] ? T[Key] | undefined : T[Key] };

/** What `makeSpec` cannot make from its input alone. */
interface Made extends Pick<AgentSpec, 'prompt' | 'session_id' | 'created_at'> {
  readonly append_system_prompt: StoredText | undefined;
}

/** The spec of a new agent; long texts are stored, secrets and its token are named only. Throws what the object store throws. */
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

/** Pure: what the spec of an agent says, and how what belongs to the agent is named. */
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

/** The fields that are not undefined. */
function defined<T extends object>(fields: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
}
