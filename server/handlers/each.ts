// Creates an agent for every item of a list. Validates the request; a workflow starts the agents.
import { MurmurError } from '../../contract/wire/errors.ts';
import { checkItems } from '../../contract/wire/fanout/items.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { fanoutWorkflowId } from '../../contract/wire/fanout/plan.ts';
import {
  expandDescription,
  expandSlugs,
  PLACEHOLDER,
  requirePlaceholder,
} from '../../contract/wire/fanout/template.ts';
import type { SlugContext } from '../../contract/wire/identity.ts';
import { addressOfIdentity, secretsRef } from '../../agents/names.ts';
import type { AgentAddress } from '../../agents/names.ts';
import { reposOf } from '../../agents/repos.ts';
import { specOfSpawn } from '../spawn-spec.ts';
import { sharedSpec } from '../../agents/fanouts/spec.ts';
import { startFanout } from '../../agents/fanouts/start.ts';
import { takenAgents } from '../../agents/fanouts/taken.ts';
import type { ServerParts } from '../parts.ts';
import type { Answer, Call, Handler } from '../handler.ts';
import { checkDepth, newAgent } from './spawn.ts';

type EachInput = Parameters<Handler<'each'>>[1];
type Refused = Answer<'each'>['failed'][number];

/** One planned agent: its slug for the caller and its address. */
interface Planned {
  /** The agent's slug for this caller. */
  readonly slug: string;
  readonly item: string;
  readonly agent: AgentAddress;
}

export const each: Handler<'each'> = async (parts, input, call) => {
  const items = input.items.filter((item) => /\S/.test(item));
  checkItems(items, 'given');
  requirePlaceholder(input.description, 'description');
  const planned = expandAll(parts, input, items, call);
  const [first] = planned;
  if (first === undefined) throw new TypeError('items make agents');
  checkDepth(parts, first.agent);
  const place: SlugContext = { ...first.agent.identity, path: first.agent.identity.path.slice(0, -1) };
  const taken = await takenAgents(
    parts,
    place,
    planned.map(({ agent }) => agent),
    call.id,
  );
  if (input.dry_run) await reposOf(parts, first.agent, input, call.caller);
  const free = planned.filter(({ agent }) => !taken.has(agent.path));
  const [one] = free;
  if (one !== undefined && !input.dry_run) {
    const plan = await planOf(parts, input, call, place, free);
    await startFanout(parts, plan, { max_concurrent: input.max_concurrent, secrets: input.secrets, title: input.slug });
  }
  return {
    slugs: free.map(({ slug }) => slug),
    count: free.length,
    workspace: place.workspace,
    failed: planned.flatMap((each) => refusalOf(each, taken.get(each.agent.path))),
    ...(input.dry_run ? { descriptions: free.map(({ item }) => expandDescription(input.description, item)) } : {}),
  };
};

/** Throws INVALID_ARGUMENT for invalid templates, and NOT_FOUND for a parent under which the caller may not spawn. */
function expandAll(parts: ServerParts, input: EachInput, items: readonly string[], call: Call): readonly Planned[] {
  const at = input.slug.lastIndexOf('/') + 1;
  const before = input.slug.slice(0, at);
  if (before.includes(PLACEHOLDER)) {
    throw new MurmurError('INVALID_ARGUMENT', `slug ${JSON.stringify(input.slug)} has {} in its parent's path`, {
      hint: 'all agents of one call have the same parent',
      details: { field: 'slug' },
    });
  }
  const slugs = expandSlugs(input.slug.slice(at), items);
  const { identity } = newAgent(parts, call, { ...input, slug: `${before}${slugs[0] ?? ''}` });
  return items.map((item, index) => {
    const slug = slugs[index] ?? '';
    const agent = addressOfIdentity({ ...identity, path: [...identity.path.slice(0, -1), slug] });
    return { slug: `${before}${slug}`, item, agent };
  });
}

function refusalOf({ slug, item }: Planned, error: MurmurError | undefined): readonly Refused[] {
  return error === undefined ? [] : [{ slug, item, code: error.code, message: error.message }];
}

async function planOf(
  parts: ServerParts,
  input: EachInput,
  call: Call,
  place: SlugContext,
  planned: readonly Planned[],
): Promise<FanoutPlan> {
  const { agent } = planned[0] ?? { agent: undefined };
  if (agent === undefined) throw new TypeError('a plan has agents');
  const { items: _items, max_concurrent: _max, dry_run: _dry, ...spawn } = input;
  // Each agent gets its own description.
  const spec = await specOfSpawn(parts, agent, { ...spawn, description: '', each: undefined }, call);
  return {
    id: call.id,
    place,
    description: input.description,
    agents: planned.map(({ agent: { identity }, item }) => ({ slug: identity.path.at(-1) ?? '', item })),
    shared: sharedSpec(
      spec,
      input.repos.map((repo) => repo.branch ?? input.branch ?? null),
    ),
    secrets_ref: secretsRef(fanoutWorkflowId(place, call.id), call.id),
    ...(input.rights === undefined ? {} : { rights: input.rights }),
    tree_limit: parts.settings.limits.agents,
    created_at: spec.created_at,
  };
}
