// Starts agents of a fan-out, many concurrently.
import type { StartOutcome, StartPlannedInput } from '../../contract/wire/fanout/messages.ts';
import { ERRORS, MurmurError } from '../../contract/wire/errors.ts';
import { plannedSpawnId } from '../../contract/wire/fanout/plan.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { readRecord } from '../../agents/record.ts';
import { discardSpawn, prepareSpawn } from '../../agents/start.ts';
import { withHeartbeat } from '../activity-scope.ts';
import { endUnstarted } from '../../agents/fanouts/end-unstarted.ts';
import { plannedSpec } from '../../agents/fanouts/spec.ts';
import type { PlanReader } from './plan.ts';
import type { FanoutPorts } from './ports.ts';

/** `startPlanned`: idempotent, because each spawn has its own id. Throws retryable errors. */
export function startPlanned(
  ports: FanoutPorts,
  readPlan: PlanReader,
  { plan: key, indices }: StartPlannedInput,
): Promise<readonly StartOutcome[]> {
  return withHeartbeat(ports.handover, async () => {
    const plan = await readPlan(key);
    const room = await roomFor(ports, plan);
    const secrets = await ports.secrets.get(plan.secrets_ref);
    return await Promise.all(
      indices.map(async (index, place): Promise<StartOutcome> => {
        if (place >= room) return { index, result: 'later' };
        return await startOne(ports, plan, index, secrets);
      }),
    );
  });
}

/** How many more agents the tree may have. Agents of a person are roots and have no limit. */
async function roomFor({ starter }: FanoutPorts, { place, tree_limit: limit }: FanoutPlan): Promise<number> {
  const [root] = place.path;
  if (root === undefined) return Infinity;
  return limit - (await starter.countTree({ ...place, path: [root] }));
}

async function startOne(
  ports: FanoutPorts,
  plan: FanoutPlan,
  index: number,
  secrets: Readonly<Record<string, string>>,
): Promise<StartOutcome> {
  const spec = await plannedSpec(ports.objects, plan, index);
  if (spec === undefined) return { index, result: 'failed', message: 'no such item' };
  const record = await readRecord(ports, workflowIdOf(spec.identity));
  // A previous attempt started it, and it has ended already.
  if (record?.spec.spawn_id === plannedSpawnId(plan.id, index)) return { index, result: 'started' };
  if (record !== undefined) return { index, result: 'failed', message: 'an agent of this slug has ended' };
  try {
    await ports.starter.start(await prepareSpawn(ports, spec, { secrets, rights: plan.rights }));
    return { index, result: 'started' };
  } catch (error) {
    if (!(error instanceof MurmurError)) throw error;
    if (ERRORS[error.code].retryable && error.code !== 'RESOURCE_EXHAUSTED') throw error;
    await discardSpawn(ports, spec);
    if (error.code === 'RESOURCE_EXHAUSTED') return { index, result: 'later' };
    return await refused(ports, plan, index, error);
  }
}

/** A slug in use belongs to the other agent; an agent that could not be started ends as failed. */
async function refused(
  ports: FanoutPorts,
  plan: FanoutPlan,
  index: number,
  { code, message, details }: MurmurError,
): Promise<StartOutcome> {
  const isChild = plan.place.path.length > 0;
  // The phase is that of another child with this slug, which has ended.
  const parentEnds = code === 'NOT_FOUND' || (code === 'FAILED_PRECONDITION' && details?.['phase'] === undefined);
  if (isChild && parentEnds) return { index, result: 'orphaned' };
  if (code !== 'ALREADY_EXISTS' && code !== 'FAILED_PRECONDITION') {
    await endUnstarted(ports, plan, index, { phase: 'failed', reason: message, by: 'murmur' });
  }
  return { index, result: 'failed', message };
}
