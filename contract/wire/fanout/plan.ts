// What a fan-out is made of: decided when it is asked for, kept in the object store until every agent has been started.
// Loaded by the workflow sandbox.
import type { AgentSpec } from '../agent.ts';
import type { AgentIdentity, SlugContext } from '../identity.ts';

/** Agents that work at once unless the caller says otherwise: what a laptop carries, at some 230 MB each. */
export const DEFAULT_CONCURRENT = 20;
/** The most that may be asked for. */
export const CONCURRENT_LIMIT = 1_000;

/** What all agents of a fan-out have in common: the spec of an agent without what is each one's own. */
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
  /** Who provides the machines. */
  readonly provider: string;
  /** Names of the spawn-time secrets. */
  readonly secret_names: readonly string[];
  /** For each repository, the branch that the caller named; null where each agent has one of its own. */
  readonly branches: readonly (string | null)[];
};

/** A fan-out, all choices made. */
export interface FanoutPlan {
  /** The id of the call that asked for it. */
  readonly id: string;
  /** Above the agents: a person's workspace, or the parent. */
  readonly place: SlugContext;
  /** Description with `{}`. */
  readonly description: string;
  /** In the order of the list. */
  readonly agents: readonly { readonly slug: string; readonly item: string }[];
  readonly shared: SharedSpec;
  /** Key in the secret store of the spawn-time secrets, for those that are still to be started. */
  readonly secrets_ref: string;
  /** What the agents' tokens allow beside the usual. */
  readonly rights?: 'owner';
  /** Living agents beneath one root. */
  readonly tree_limit: number;
  /** ISO 8601. */
  readonly created_at: string;
}

/** Identity of one of its agents. */
export function plannedIdentity(plan: FanoutPlan, slug: string): AgentIdentity {
  return { ...plan.place, path: [...plan.place.path, slug] };
}

/** The spawn of one of its agents, as a call of its own would have named it. */
export function plannedSpawnId(planId: string, index: number): string {
  return `${planId}-${index}`;
}

/** `w/<workspace>/u/<account>[/<parent>…]`. */
function placeOf({ workspace, account, path }: SlugContext): string {
  return ['w', workspace, 'u', account, ...path].join('/');
}

/** Temporal workflow id of a fan-out. No agent's: those begin with `w/`. */
export function fanoutWorkflowId(place: SlugContext, planId: string): string {
  return `fanout/${placeOf(place)}/_/${planId}`;
}

/** Object store keys of the plans of a place begin so. `_` is no slug, so that plans and places beneath never mix. */
export function plansPrefix(place: SlugContext): string {
  return `fanouts/${placeOf(place)}/_/`;
}

/** The same for a place and everything beneath it. */
export function plansBeneathPrefix(place: SlugContext): string {
  return `fanouts/${placeOf(place)}/`;
}

/** Object store key of the plan of a fan-out, by its workflow's id; undefined for an id that is not a fan-out's. */
export function planKeyOf(workflowId: string): string | undefined {
  const [, place, plan] = /^fanout\/(w\/.+)\/_\/([^/]+)$/.exec(workflowId) ?? [];
  return place === undefined || plan === undefined ? undefined : `fanouts/${place}/_/${plan}`;
}

/** Object store key of a plan. */
export function planKey(place: SlugContext, planId: string): string {
  return `${plansPrefix(place)}${planId}`;
}
