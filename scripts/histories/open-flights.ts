// Flights that continue: their histories are kept while they wait for a person, their pilot or their agents, and again
// at their end.
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { startFlight } from '../../test/fixtures/running-flight.ts';
import type { RunningFlight } from '../../test/fixtures/running-flight.ts';
import { promptOf } from '../../test/fixtures/stub-activities.ts';
import type { TestTemporal } from '../../test/fixtures/temporal.ts';
import { eventually } from '../../test/fixtures/waiting.ts';
import type { KeepHistory, Scenario } from './scenario.ts';

const KILL = { id: 'k1', from: 'tess' } as const;

/** Longer than a message may carry, so it is stored by reference. */
const LONG = 'Read this carefully. '.repeat(1_000);

const GATED = `---
max_concurrent: 2
model: fake
out: respond
---
# Gated
## build
> gate: approve

work as build
## polish
> continues: build

work as polish. ${LONG}
## audit
> needs: polish
> each: all modules
> branch: audit/{}

work as audit of {}
`;

const FAILING = `# Failing
## build
work as build
## polish
> continues: build

work as polish
## report
> needs: polish

work as report
`;

function agentOf(temporal: TestTemporal, { pilot }: RunningFlight, slug: string) {
  return temporal.client.workflow.getHandle(`${workflowIdOf(pilot.spec.identity)}/${slug}`);
}

/** Keeps the histories of the flight, its pilot and these agents. */
async function keepAll(
  flight: RunningFlight,
  keep: KeepHistory,
  moment: string,
  ...agents: readonly string[]
): Promise<void> {
  await keep(flight.handle.workflowId, moment);
  await keep(flight.pilot.handle.workflowId, `pilot-${moment}`);
  for (const slug of agents) await keep(`${flight.pilot.handle.workflowId}/${slug}`, `${slug}-${moment}`);
}

export const OPEN_FLIGHT_SCENARIOS: Readonly<Record<string, Scenario>> = {
  'openflight-gated': async (temporal, keep) => {
    let isHeld = true;
    await using flight = await startFlight(temporal, GATED, {
      turn: (input) => (isHeld && promptOf(input).includes('work as audit of web') ? 'wait' : {}),
    });
    await flight.until('build', 'needs-approval');
    await keepAll(flight, keep, 'at-gate', 'build');
    await flight.order('approve', { node: 'build' });
    await flight.until('audit', 'needs-items');
    await keepAll(flight, keep, 'at-list', 'build');
    await flight.order('items', { node: 'audit', items: ['web', 'api', 'cli'] });
    await eventually(() => flight.stub.turns.some((turn) => promptOf(turn).includes('audit of web')), 'its turn');
    await eventually(() => flight.stub.ends.length >= 3, 'the end of the others');
    await keepAll(flight, keep, 'at-work', 'audit-web', 'audit-api');
    isHeld = false;
    await agentOf(temporal, flight, 'audit-web').signal('interrupt', { id: 'i1', from: 'tess' });
    await agentOf(temporal, flight, 'audit-web').signal('queueAdd', {
      id: 'q1',
      text: { text: 'finish' },
      from: 'tess',
    });
    await eventually(() => flight.pilotMessages().some((text) => text.includes('are done')), 'the final message');
    await flight.pilot.untilIdle();
    await keepAll(flight, keep, 'done');
    await flight.pilot.handle.signal('kill', KILL);
    await flight.pilot.result();
    await flight.handle.result();
    await keepAll(flight, keep, 'ended', 'audit-web');
  },
  // An agent with a follow-up is killed: the follow-up fails, and both run again. The pilot ends by itself.
  'openflight-failed': async (temporal, keep) => {
    let tries = 0;
    await using flight = await startFlight(
      temporal,
      FAILING,
      { turn: (input) => (promptOf(input).includes('work as polish') && (tries += 1) === 1 ? 'wait' : {}) },
      { on_idle: 'terminate' },
    );
    await eventually(() => tries > 0, 'the follow-up');
    await keepAll(flight, keep, 'continued', 'build');
    await agentOf(temporal, flight, 'build').signal('kill', KILL);
    await flight.until('polish', 'failed');
    await eventually(() => flight.pilotMessages().some((text) => text.includes('has failed')), 'the failure');
    await flight.pilot.until((now) => now.phase === 'idle');
    await keepAll(flight, keep, 'failed', 'build');
    await flight.order('rerun', { node: 'polish' });
    await flight.pilot.result();
    await flight.handle.result();
    await keepAll(flight, keep, 'ended');
  },
  // The plan is gone.
  'openflight-without-plan': async (temporal, keep) => {
    const flightSpec = { flight: { name: 'Lost', key: 'agents/nobody/flights/none.json' } };
    await using flight = await startFlight(temporal, '# Lost\n## a\nwork as a\n', {}, flightSpec);
    await eventually(() => flight.pilotMessages().some((text) => text.includes('cannot begin')), 'the message');
    await flight.pilot.untilIdle();
    await keepAll(flight, keep, 'told');
    await flight.pilot.handle.signal('kill', KILL);
    await flight.pilot.result();
    await flight.handle.result();
    await keepAll(flight, keep, 'ended');
  },
  // Cancelled in Temporal: its agents belong to the pilot and continue.
  'openflight-canceled': async (temporal, keep) => {
    await using flight = await startFlight(temporal, '# Canceled\n## a\nwork as a\n## b\n> needs: a\n\nwork as b\n', {
      turn: (input) => (promptOf(input).includes('work as a') ? 'wait' : {}),
    });
    await eventually(() => flight.stub.turns.some((turn) => promptOf(turn).includes('work as a')), 'its turn');
    await flight.handle.cancel();
    await flight.handle.result();
    await keepAll(flight, keep, 'canceled', 'a');
    await flight.pilot.handle.signal('kill', KILL);
    await flight.pilot.result();
    await keepAll(flight, keep, 'ended', 'a');
  },
};
