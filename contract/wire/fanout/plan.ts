// The plan of a fan-out: everything that its call decides. The object store has it until all agents have been started.
// Loaded by the workflow sandbox.
import type { AgentSpec } from '../agent.ts';
import type { AgentIdentity, SlugContext } from '../identity.ts';

/** Default number of agents at work at once: what a laptop can run, at some 230 MB each. */
export const DEFAULT_CONCURRENT = 20;
/** The largest number that a caller may request. */
export const CONCURRENT_LIMIT = 1_000;

/** The common part of the specs of a fan-out's agents. */
export type SharedSpec = Omit<
  AgentSpec,
  | 'identity'
  | 'spawn_id'
  | 'prompt'
  | 'session_id'
  | 'created_at'
  | 'secrets'
  | 'token_id'
  | 'slot'
  | 'machine'
  | 'events_after'
> & {
  /** Provider of the machines. */
  readonly provider: string;
  /** Names of the spawn-time secrets. */
  readonly secret_names: readonly string[];
  /** For each repository, the branch that the caller named, or null if each agent gets its own. */
  readonly branches: readonly (string | null)[];
};

/** A fan-out, with all defaults applied. */
export interface FanoutPlan {
  /** Id of the call that requested it. */
  readonly id: string;
  /** Where the agents are created: in a person's workspace, or beneath a parent. */
  readonly place: SlugContext;
  /** Description with `{}`. */
  readonly description: string;
  /** In the order of the list. */
  readonly agents: readonly { readonly slug: string; readonly item: string }[];
  readonly shared: SharedSpec;
  /** Key in the secret store of the spawn-time secrets, for agents that are still to be started. */
  readonly secrets_ref: string;
  /** Additional rights of the agents' tokens. */
  readonly rights?: 'owner';
  /** Limit of living agents beneath one root. */
  readonly tree_limit: number;
  /** ISO 8601. */
  readonly created_at: string;
}

/** Identity of an agent of the fan-out. */
export function plannedIdentity(plan: FanoutPlan, slug: string): AgentIdentity {
  return { ...plan.place, path: [...plan.place.path, slug] };
}

/** Spawn id of an agent of the fan-out. */
export function plannedSpawnId(planId: string, index: number): string {
  return `${planId}-${index}`;
}

/** `w/<workspace>/u/<account>[/<parent>…]`. */
function placeOf({ workspace, account, path }: SlugContext): string {
  return ['w', workspace, 'u', account, ...path].join('/');
}

/** Temporal workflow id of a fan-out. It cannot be an agent's id, which begins with `w/`. */
export function fanoutWorkflowId(place: SlugContext, planId: string): string {
  return `fanout/${placeOf(place)}/_/${planId}`;
}

/** Prefix of the object store keys of a place's plans. `_` is not a valid slug, so the keys of child places differ. */
export function plansPrefix(place: SlugContext): string {
  return `fanouts/${placeOf(place)}/_/`;
}

/** The same for a place and all places beneath it. */
export function plansBeneathPrefix(place: SlugContext): string {
  return `fanouts/${placeOf(place)}/`;
}

/** Object store key of the plan for a fan-out's workflow id; undefined for any other id. */
export function planKeyOf(workflowId: string): string | undefined {
  const [, place, plan] = /^fanout\/(w\/.+)\/_\/([^/]+)$/.exec(workflowId) ?? [];
  return place === undefined || plan === undefined ? undefined : `fanouts/${place}/_/${plan}`;
}

/** Object store key of a plan. */
export function planKey(place: SlugContext, planId: string): string {
  return `${plansPrefix(place)}${planId}`;
}
