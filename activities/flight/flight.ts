// The activities of the flight workflow over the ports.
import type { FlightActivities, StoredFlight } from '../../contract/wire/flight/messages.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { storeText } from '../../drivers/agents/texts.ts';
import { attentively } from '../attention.ts';
import { failing } from '../failure.ts';
import type { FanoutPorts } from '../fanout/ports.ts';
import { startNode } from './start-node.ts';

/** What the activities of a flight work with. */
export type FlightPorts = Omit<FanoutPorts, 'events'>;

/** One set per worker. */
export function createFlightActivities(ports: FlightPorts): FlightActivities {
  return {
    readFlight: failing(async ({ key }) => {
      const content = await ports.objects.get(key);
      if (content !== undefined) return JSON.parse(content.toString('utf8')) as StoredFlight;
      throw new MurmurError('NOT_FOUND', `the plan ${key} is gone`, { hint: 'spawn the flight again' });
    }),
    startNode: failing((input) => attentively(ports.handover, () => startNode(ports, input))),
    storeNodeText: failing(({ agent, name, text }) => storeText(ports.objects, agent, name, text)),
  };
}
