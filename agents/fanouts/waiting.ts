// Agents of fan-outs that have not been started: they exist, and wait for a slot.
import { parentOf } from '../../contract/wire/identity.ts';
import type { AgentIdentity } from '../../contract/wire/identity.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { plannedIdentity, plansPrefix } from '../../contract/wire/fanout/plan.ts';
import { WAITING } from '../../contract/wire/fanout/status.ts';
import type { AgentAddress } from '../names.ts';
import type { AgentPlatform } from '../platform.ts';
import { plansUnder, waitingOf } from './plans.ts';
import type { KnownPlan } from './plans.ts';

/** An agent that waits. */
export interface Waiting {
  readonly known: KnownPlan;
  readonly index: number;
}

/** The agent, when it waits for a slot. To be asked for an agent that Temporal does not know. */
export async function findWaiting(parts: AgentPlatform, { identity }: AgentAddress): Promise<Waiting | undefined> {
  const slug = identity.path.at(-1) ?? '';
  const place = parentOf(identity) ?? { ...identity, path: [] };
  for (const known of await plansUnder(parts, plansPrefix(place))) {
    const index = known.indexOf.get(slug);
    if (index !== undefined && (await waitingOf(parts, known))(index)) return { known, index };
  }
  return undefined;
}

/** All agents that wait in plans whose keys begin with the prefix. */
export async function allWaiting(
  parts: AgentPlatform,
  prefix: string,
): Promise<readonly { readonly identity: AgentIdentity; readonly known: KnownPlan }[]> {
  const plans = await plansUnder(parts, prefix);
  const waiting = await Promise.all(
    plans.map(async (known) => {
      const waits = await waitingOf(parts, known);
      return known.plan.agents
        .filter((_agent, index) => waits(index))
        .map(({ slug }) => ({ identity: plannedIdentity(known.plan, slug), known }));
    }),
  );
  return waiting.flat();
}

/** FAILED_PRECONDITION for a message to an agent that waits. */
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
