// The activities of the fan-out workflow, implemented on the ports.
import type { FanoutActivities } from '../../contract/wire/fanout/messages.ts';
import { plannedIdentity } from '../../contract/wire/fanout/plan.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { withHeartbeat } from '../activity-scope.ts';
import { failing } from '../failure.ts';
import { endUnstarted } from '../../agents/fanouts/end-unstarted.ts';
import { createPlanReader, planSecretsRef, requireOwnPlan } from './plan.ts';
import type { FanoutPorts } from './ports.ts';
import { startPlanned } from './start-planned.ts';

/** Records written concurrently: enough to hide the disk's latency. */
const WRITERS = 16;

/** One set per worker: it caches the plans that it read last. */
export function createFanoutActivities(ports: FanoutPorts): FanoutActivities {
  const readPlan = createPlanReader(ports.objects);
  return {
    startPlanned: failing((input) => startPlanned(ports, readPlan, input)),
    dropPlanned: failing(({ plan: key, indices, by, reason }) =>
      withHeartbeat(ports.handover, async () => {
        const plan = await readPlan(key);
        const queue = indices.values();
        const writer = async (): Promise<void> => {
          // All writers share one iterator.
          for (const index of queue) await endUnstarted(ports, plan, index, { phase: 'canceled', reason, by });
        };
        await Promise.all(Array.from({ length: WRITERS }, writer));
      }),
    ),
    restingPlanned: failing(({ plan: key, indices }) =>
      withHeartbeat(ports.handover, async () => {
        const plan = await readPlan(key);
        const resting = await Promise.all(
          indices.map(async (index) => {
            const slug = plan.agents[index]?.slug;
            return slug === undefined || (await ports.starter.rests(workflowIdOf(plannedIdentity(plan, slug))));
          }),
        );
        return indices.filter((_index, place) => resting[place]);
      }),
    ),
    closeFanout: failing(({ plan: key }) =>
      withHeartbeat(ports.handover, async () => {
        requireOwnPlan(key);
        await ports.secrets.delete(planSecretsRef(key));
        await ports.objects.delete(key);
        readPlan.forget(key);
      }),
    ),
  };
}
