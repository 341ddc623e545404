// The activities as the flight calls them: every timeout and retry policy with its reason.
import { proxyActivities } from '@temporalio/workflow';
import type { FlightActivities, StartNodeInput } from '../../contract/wire/flight/messages.ts';
import { referenceInput } from '../reference-input.ts';

/**
 * Reads and writes of a store on the same host. Attempts are unlimited: the flight waits for a store that is
 * unreachable.
 */
const stores = proxyActivities<FlightActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '30s' },
});

export const { readFlight, storeNodeText } = stores;

/**
 * The pilot answers its update within ten seconds, even when it is busy. Attempts are unlimited: the activity is
 * idempotent, and the flight waits for a full tree or an unreachable store.
 */
export function startNode(input: StartNodeInput): Promise<void> {
  return proxyActivities<FlightActivities>({
    startToCloseTimeout: '2m',
    // A dead worker is noticed within this time.
    heartbeatTimeout: '5s',
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '30s' },
    summary: input.slug,
  }).startNode(referenceInput(input));
}
