// The activities as the flight calls them: every timeout and retry with its reason.
import { proxyActivities } from '@temporalio/workflow';
import type { FlightActivities, StartNodeInput } from '../../contract/wire/flight/messages.ts';

/** A read or a write of a store on the same host. It waits for one that cannot be reached. */
const stores = proxyActivities<FlightActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '30s' },
});

export const { readFlight, storeNodeText } = stores;

/**
 * The pilot answers its update within ten seconds, also when it is busy. No maximum of attempts: it is idempotent, and a
 * tree that is full, or a store that cannot be reached, is waited for.
 */
export function startNode(input: StartNodeInput): Promise<void> {
  return proxyActivities<FlightActivities>({
    startToCloseTimeout: '2m',
    // A dead worker is noticed in this time.
    heartbeatTimeout: '5s',
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '30s' },
    summary: input.slug,
  }).startNode(input);
}
