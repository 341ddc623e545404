// The plans of fan-outs that have agents to start: in the object store, since what is asked for must be found at once.
import type { FanoutProgress } from '../../contract/wire/fanout/messages.ts';
import { FANOUT_QUERY } from '../../contract/wire/fanout/messages.ts';
import { fanoutWorkflowId } from '../../contract/wire/fanout/plan.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { QueryRejectedError, WorkflowNotFoundError } from '@temporalio/client';
import { inTime } from '../temporal.ts';
import type { AgentPlatform } from '../platform.ts';

/** A fan-out, and where each of its agents stands in the list. */
export interface KnownPlan {
  readonly key: string;
  readonly plan: FanoutPlan;
  /** Temporal workflow id. */
  readonly workflow: string;
  readonly indexOf: ReadonlyMap<string, number>;
}

/** Plans never change: each is read once. The oldest is forgotten past this many. */
const KEPT = 50;
const cache = new WeakMap<AgentPlatform, Map<string, KnownPlan>>();

/** A plan without a workflow for so long was left behind by a call that broke off. */
const LEFT_BEHIND_MS = 60_000;

/** All plans whose keys begin with the prefix. */
export async function plansUnder(parts: AgentPlatform, prefix: string): Promise<readonly KnownPlan[]> {
  const keys = await parts.objects.list(prefix);
  const plans = await Promise.all(keys.map(async (key) => await readPlan(parts, key)));
  return plans.filter((plan) => plan !== undefined);
}

async function readPlan(parts: AgentPlatform, key: string): Promise<KnownPlan | undefined> {
  const kept = cache.get(parts) ?? new Map<string, KnownPlan>();
  cache.set(parts, kept);
  const known = kept.get(key);
  if (known !== undefined) return known;
  const content = await parts.objects.get(key);
  if (content === undefined) return undefined;
  const plan = JSON.parse(content.toString('utf8')) as FanoutPlan;
  const indexOf = new Map(plan.agents.map(({ slug }, index) => [slug, index]));
  const read = { key, plan, workflow: fanoutWorkflowId(plan.place, plan.id), indexOf };
  kept.set(key, read);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value ?? '');
  return read;
}

/** Which agents of the plan wait to be started; none when the fan-out has ended. Throws UNAVAILABLE. */
export async function waitingOf(parts: AgentPlatform, known: KnownPlan): Promise<(index: number) => boolean> {
  const progress = await progressOf(parts, known);
  if (progress === 'silent') return () => true;
  if (progress === 'ended') return () => false;
  const gone = new Set([...progress.dropped, ...progress.failed]);
  const starting = new Set(progress.starting);
  return (index) => !gone.has(index) && (index >= progress.next || starting.has(index));
}

async function progressOf(parts: AgentPlatform, known: KnownPlan): Promise<FanoutProgress | 'ended' | 'silent'> {
  const handle = parts.temporal.workflow.getHandle(known.workflow);
  try {
    return await inTime(parts, () => handle.query<FanoutProgress, []>(FANOUT_QUERY), parts.timing.query);
  } catch (error) {
    if (error instanceof QueryRejectedError) return await leftBehind(parts, known);
    if (!(error instanceof WorkflowNotFoundError)) return 'silent';
    // It may be about to be started: the plan is written first.
    if (Date.now() - Date.parse(known.plan.created_at) < LEFT_BEHIND_MS) return 'silent';
    return await leftBehind(parts, known);
  }
}

/** The plan of a fan-out that an operator terminated, or that never came to be, would hold its slugs for ever. */
async function leftBehind(parts: AgentPlatform, { key, plan }: KnownPlan): Promise<'ended'> {
  await parts.secrets.delete(plan.secrets_ref);
  await parts.objects.delete(key);
  cache.get(parts)?.delete(key);
  return 'ended';
}
