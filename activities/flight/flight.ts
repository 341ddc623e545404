// The activities of the flight workflow, implemented on the ports. Their input comes from a history, so it is checked:
// a flight works for the pilot that its own workflow id names, and the pilot's spec must be sealed.
import type { FlightActivities, StoredFlight } from '../../contract/wire/flight/messages.ts';
import { flightKey, pilotIdOf } from '../../contract/wire/flight/messages.ts';
import { defined } from '../../contract/wire/defined.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { slugProblem } from '../../contract/wire/identity.ts';
import { readSealedSpec } from '../../agents/sealed.ts';
import { storeText } from '../../agents/texts.ts';
import { admitAnew, callingWorkflow } from '../admission.ts';
import { withHeartbeat } from '../activity-scope.ts';
import { failing } from '../failure.ts';
import { startNode } from './start-node.ts';
import type { FlightPorts } from './start-node.ts';

/** One set per worker. */
export function createFlightActivities(ports: FlightPorts): FlightActivities {
  return {
    readFlight: failing(async ({ key }) => {
      await requireOwnFlight(ports, key);
      const content = await ports.objects.get(key);
      if (content !== undefined) return JSON.parse(content.toString('utf8')) as StoredFlight;
      throw new MurmurError('NOT_FOUND', `the plan ${key} is gone`, { hint: 'spawn the flight again' });
    }),
    startNode: failing((input) =>
      withHeartbeat(ports.handover, async () => {
        // Read again for each agent: the pilot may have ended since, also under another worker.
        const { session, pilot: spec } = input;
        const pilot = await admitAnew(ports, pilotIdOf(callingWorkflow()), defined({ session, spec }));
        if (pilot.flight === undefined) throw new MurmurError('PERMISSION_DENIED', 'the agent pilots no flight');
        await startNode(ports, { ...input, pilot });
      }),
    ),
    storeNodeText: failing(async ({ agent, name, text }) => {
      requireNodeText(agent, name);
      return await storeText(ports.objects, agent, { kind: 'flight', id: name }, text);
    }),
  };
}

/** Throws PERMISSION_DENIED for a plan that the sealed spec of the flight's pilot does not name. */
async function requireOwnFlight(ports: FlightPorts, key: string): Promise<void> {
  const pilot = pilotIdOf(callingWorkflow());
  const spawn = /([^/]+)\.json$/.exec(key)?.[1] ?? '';
  const isOwn = key === flightKey(pilot, spawn);
  const spec = isOwn ? await readSealedSpec(ports, pilot, spawn) : undefined;
  if (spec?.flight?.key === key) return;
  throw new MurmurError('PERMISSION_DENIED', `the object ${key} is not the plan of the flight of ${pilot}`);
}

/** Throws PERMISSION_DENIED unless the text is a flight's text for one of its own agents. */
function requireNodeText(agent: string, name: string): void {
  const prefix = `${pilotIdOf(callingWorkflow())}/`;
  const slug = agent.startsWith(prefix) ? agent.slice(prefix.length) : '';
  if (slugProblem(slug) === undefined && /^flight-[A-Za-z0-9._-]+$/.test(name)) return;
  throw new MurmurError('PERMISSION_DENIED', `a flight stores no text ${name} for ${agent}`);
}
