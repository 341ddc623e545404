// The plans of fan-outs with agents to start, and their waiting agents. Plans are in the object store, so that an agent
// can be found as soon as it is planned.
import { QueryRejectedError, WorkflowNotFoundError } from '@temporalio/client';
import { MurmurError } from '../../contract/wire/errors.ts';
import { FANOUT_QUERY } from '../../contract/wire/fanout/messages.ts';
import type { FanoutProgress } from '../../contract/wire/fanout/messages.ts';
import { fanoutWorkflowId, plannedIdentity, plansPrefix } from '../../contract/wire/fanout/plan.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { WAITING } from '../../contract/wire/fanout/status.ts';
import { parentOf } from '../../contract/wire/identity.ts';
import type { AgentIdentity } from '../../contract/wire/identity.ts';
import type { AgentAddress } from '../names.ts';
import type { AgentPlatform } from '../platform.ts';
import { inTime } from '../temporal.ts';

/** A fan-out's plan, with the index of each agent. */
export interface KnownPlan {
  readonly key: string;
  readonly plan: FanoutPlan;
  /** Temporal workflow id. */
  readonly workflow: string;
  readonly indexOf: ReadonlyMap<string, number>;
}

/** Cached plans; plans never change. Above this number the oldest is dropped. */
const KEPT = 50;
const cache = new WeakMap<AgentPlatform, Map<string, KnownPlan>>();

/** A plan that has had no workflow for this long is from an interrupted call. */
const ORPHANED_AFTER_MS = 60_000;

/** All plans whose keys begin with the prefix. */
export async function plansUnder(platform: AgentPlatform, prefix: string): Promise<readonly KnownPlan[]> {
  const keys = await platform.objects.list(prefix);
  const plans = await Promise.all(keys.map(async (key) => await readPlan(platform, key)));
  return plans.filter((plan) => plan !== undefined);
}

async function readPlan(platform: AgentPlatform, key: string): Promise<KnownPlan | undefined> {
  const kept = cache.get(platform) ?? new Map<string, KnownPlan>();
  cache.set(platform, kept);
  const known = kept.get(key);
  if (known !== undefined) return known;
  const content = await platform.objects.get(key);
  if (content === undefined) return undefined;
  const plan = JSON.parse(content.toString('utf8')) as FanoutPlan;
  const indexOf = new Map(plan.agents.map(({ slug }, index) => [slug, index]));
  const read = { key, plan, workflow: fanoutWorkflowId(plan.place, plan.id), indexOf };
  kept.set(key, read);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value ?? '');
  return read;
}

/** Which agents of the plan wait to be started: all if the fan-out does not answer, none if it has ended. */
export async function waitingOf(platform: AgentPlatform, known: KnownPlan): Promise<(index: number) => boolean> {
  const progress = await progressOf(platform, known);
  if (progress === 'silent') return () => true;
  if (progress === 'ended') return () => false;
  const gone = new Set([...progress.dropped, ...progress.failed]);
  const starting = new Set(progress.starting);
  return (index) => !gone.has(index) && (index >= progress.next || starting.has(index));
}

async function progressOf(platform: AgentPlatform, known: KnownPlan): Promise<FanoutProgress | 'ended' | 'silent'> {
  const handle = platform.temporal.workflow.getHandle(known.workflow);
  try {
    return await inTime(platform, () => handle.query<FanoutProgress, []>(FANOUT_QUERY), platform.timing.query);
  } catch (error) {
    if (error instanceof QueryRejectedError) return await leftBehind(platform, known);
    if (!(error instanceof WorkflowNotFoundError)) return 'silent';
    // The workflow may be about to start: the plan is written first.
    if (Date.now() - Date.parse(known.plan.created_at) < ORPHANED_AFTER_MS) return 'silent';
    return await leftBehind(platform, known);
  }
}

/** Deletes the plan of a fan-out that was terminated or never started. Otherwise its slugs would be in use for ever. */
async function leftBehind(platform: AgentPlatform, { key, plan }: KnownPlan): Promise<'ended'> {
  await platform.secrets.delete(plan.secrets_ref);
  await platform.objects.delete(key);
  cache.get(platform)?.delete(key);
  return 'ended';
}

/** An agent that waits for a slot. */
export interface Waiting {
  readonly known: KnownPlan;
  readonly index: number;
}

/** The agent, if it waits for a slot. Meant for agents that Temporal does not know. */
export async function findWaiting(platform: AgentPlatform, { identity }: AgentAddress): Promise<Waiting | undefined> {
  const slug = identity.path.at(-1) ?? '';
  const place = parentOf(identity) ?? { ...identity, path: [] };
  for (const known of await plansUnder(platform, plansPrefix(place))) {
    const index = known.indexOf.get(slug);
    if (index !== undefined && (await waitingOf(platform, known))(index)) return { known, index };
  }
  return undefined;
}

/** All waiting agents of the plans whose keys begin with the prefix. */
export async function allWaiting(
  platform: AgentPlatform,
  prefix: string,
): Promise<readonly { readonly identity: AgentIdentity; readonly known: KnownPlan }[]> {
  const plans = await plansUnder(platform, prefix);
  const waiting = await Promise.all(
    plans.map(async (known) => {
      const waits = await waitingOf(platform, known);
      return known.plan.agents
        .filter((_agent, index) => waits(index))
        .map(({ slug }) => ({ identity: plannedIdentity(known.plan, slug), known }));
    }),
  );
  return waiting.flat();
}

/** FAILED_PRECONDITION for a message to a waiting agent. */
export function waitsForSlot({ slug, path }: AgentAddress): MurmurError {
  return new MurmurError(
    'FAILED_PRECONDITION',
    `agent ${JSON.stringify(path)} is ${WAITING}: it takes no messages yet`,
    {
      hint: `wait until it runs: \`murmur wait ${slug} --phase running\``,
      details: { slug, path, phase: 'starting' },
    },
  );
}
