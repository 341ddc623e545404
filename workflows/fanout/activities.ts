// The activities as the fan-out calls them: every timeout and retry policy with its reason.
import { proxyActivities } from '@temporalio/workflow';
import type { FanoutActivities } from '../../contract/wire/fanout/messages.ts';

/**
 * Fifty agents start in a second or two, and a busy parent answers its update within ten seconds. Attempts are
 * unlimited: the activities are idempotent, and the fan-out waits while a store or Temporal is unreachable.
 */
const activities = proxyActivities<FanoutActivities>({
  startToCloseTimeout: '2m',
  // A dead worker is noticed within this time.
  heartbeatTimeout: '5s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '30s' },
});

export const { startPlanned, dropPlanned, restingPlanned, closeFanout } = activities;
