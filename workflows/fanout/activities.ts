// The activities as the fan-out calls them: every timeout and retry with its reason.
import { proxyActivities } from '@temporalio/workflow';
import type { FanoutActivities } from '../../contract/wire/fanout/messages.ts';

/**
 * Fifty agents are started in a second or two; a parent that is busy answers its update within ten. No maximum of
 * attempts: they are idempotent, and the agents wait for as long as a store or Temporal cannot be reached.
 */
const activities = proxyActivities<FanoutActivities>({
  startToCloseTimeout: '2m',
  // A dead worker is noticed in this time.
  heartbeatTimeout: '5s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '30s' },
});

export const { startPlanned, dropPlanned, restingPlanned, closeFanout } = activities;
