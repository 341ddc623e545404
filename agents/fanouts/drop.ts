// Kills of agents that have not been started.
import { MurmurError } from '../../contract/wire/errors.ts';
import type { FanoutSignals } from '../../contract/wire/fanout/messages.ts';
import { plansBeneathPrefix } from '../../contract/wire/fanout/plan.ts';
import { addressOfIdentity } from '../names.ts';
import type { AgentAddress } from '../names.ts';
import { describeExecution } from '../find.ts';
import { lookUntil } from '../log.ts';
import { readRecord } from '../record.ts';
import { inTime } from '../temporal.ts';
import type { AgentPlatform } from '../platform.ts';
import type { KnownPlan } from './plans.ts';
import { allWaiting, findWaiting } from './plans.ts';

/** The caller of a kill. */
interface Dropper {
  /** Id of the kill; the same for a repetition. */
  readonly id: string;
  /** Account, or absolute path of an agent. */
  readonly from: string;
  /** Aborts when the caller no longer waits. */
  readonly signal: AbortSignal;
}

/**
 * Drops a waiting agent and waits until that is done. Returns `started` if the agent was started in the meantime, and
 * `absent` if it was not waiting. Throws DEADLINE_EXCEEDED if no worker handles the signal in time; the signal stays in
 * effect.
 */
export async function dropWaiting(
  platform: AgentPlatform,
  agent: AgentAddress,
  by: Dropper,
): Promise<'dropped' | 'started' | 'absent'> {
  const waiting = await findWaiting(platform, agent);
  if (waiting === undefined) return (await describeExecution(platform, agent)) === undefined ? 'absent' : 'started';
  await signalFanout(platform, waiting.known, 'drop', { id: by.id, from: by.from, indices: [waiting.index] });
  return await untilSettled(platform, agent, by);
}

/** Drops the waiting agents beneath an agent. Returns the dropped ones. */
export async function dropBeneath(
  platform: AgentPlatform,
  { identity: top }: AgentAddress,
  by: Dropper,
): Promise<readonly AgentAddress[]> {
  const waiting = await allWaiting(platform, plansBeneathPrefix(top));
  const fanouts = new Map(waiting.map(({ known }) => [known.key, known]));
  for (const known of fanouts.values()) await signalFanout(platform, known, 'dropAll', { id: by.id, from: by.from });
  const agents = waiting.map(({ identity }) => addressOfIdentity(identity));
  const dropped: AgentAddress[] = [];
  for (const agent of agents) if ((await untilSettled(platform, agent, by)) === 'dropped') dropped.push(agent);
  return dropped;
}

async function signalFanout<Name extends keyof FanoutSignals>(
  platform: AgentPlatform,
  { workflow }: KnownPlan,
  name: Name,
  payload: FanoutSignals[Name],
): Promise<void> {
  await inTime(platform, () =>
    platform.temporal.workflow.getHandle(workflow).signal<[FanoutSignals[Name]]>(name, payload),
  );
}

/** Resolves when the log shows the agent's end, or its start. */
async function untilSettled(platform: AgentPlatform, agent: AgentAddress, by: Dropper): Promise<'dropped' | 'started'> {
  const patience = AbortSignal.any([by.signal, AbortSignal.timeout(platform.timing.killUnanswered)]);
  const settled = async (): Promise<'dropped' | 'started' | undefined> => {
    if ((await readRecord(platform, agent.id)) !== undefined) return 'dropped';
    return (await describeExecution(platform, agent)) === undefined ? undefined : 'started';
  };
  const outcome = (await lookUntil(platform, agent.id, patience, settled)) ?? (await settled());
  if (outcome !== undefined) return outcome;
  by.signal.throwIfAborted();
  throw new MurmurError(
    'DEADLINE_EXCEEDED',
    `no worker has ended ${JSON.stringify(agent.path)} yet; it will not be started`,
    {
      hint: '`murmur doctor` says what is wrong',
      details: { path: agent.path },
    },
  );
}
