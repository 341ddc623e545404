// Scenarios of flights, with the histories of their pilots.
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { startFlight } from '../../test/fixtures/running-flight.ts';
import type { RunningFlight } from '../../test/fixtures/running-flight.ts';
import { promptOf } from '../../test/fixtures/stub-activities.ts';
import type { TestTemporal } from '../../test/fixtures/temporal.ts';
import { eventually } from '../../test/fixtures/waiting.ts';
import type { Scenario } from './scenario.ts';

const GRAPH = `# Graph
## build
> gate: approve

work as build
## polish
> continues: build

work as polish
## report
> needs: polish

work as report
`;

const LIST = `---
max_concurrent: 1
---
# List
## check
> each: modules

work as check of {}
## report
> needs: check

work as report
`;

/** Flights whose agents are stubs. */
export const FLIGHT_SCENARIOS: Readonly<Record<string, Scenario>> = {
  // Dependencies, a gate, a follow-up to an earlier agent, and a request to end; one agent's own history is kept too.
  'flight-graph': async (temporal, keep) => {
    await using flight = await startFlight(temporal, GRAPH);
    await flight.until('build', 'needs-approval');
    await flight.order('approve', { node: 'report' }).catch(() => undefined);
    await flight.order('approve', { node: 'build' });
    await flight.until('report', 'done');
    await endWithPilot(flight);
    await keep(flight.handle.workflowId);
    await keep(`${workflowIdOf(flight.pilot.spec.identity)}/build`, 'build');
  },
  // A list, a rerun after a failure, and continue-as-new of flight and pilot.
  'flight-list': async (temporal, keep) => {
    const limits = { continue_after_signals: 5, continue_after_turns: 2 };
    const turn = (input: Parameters<typeof promptOf>[0]) =>
      input.number === 1 && promptOf(input).includes('check of web') && (tries += 1) === 1 ? 'wait' : {};
    let tries = 0;
    await using flight = await startFlight(temporal, LIST, { turn }, { limits });
    await flight.until('check', 'needs-items');
    await flight.order('items', { node: 'check', items: ['web', 'api'] });
    await eventually(() => tries > 0, 'the turn that is killed');
    await killAgent(temporal, flight, 'check-web');
    await flight.until('check', 'failed');
    await flight.order('rerun', { node: 'check' });
    await flight.until('report', 'done');
    await eventually(() => flight.pilotMessages().some((text) => text.includes('are done')), 'the final message');
    await flight.pilot.untilIdle();
    await endWithPilot(flight);
    await keep(flight.handle.workflowId);
    await keep(flight.pilot.handle.workflowId, 'pilot');
  },
  // Agents at work and one that waits, while their pilot is killed.
  'flight-killed': async (temporal, keep) => {
    await using flight = await startFlight(temporal, '# Killed\n## a\nwork as a\n## b\n> needs: a\n\nwork as b\n', {
      turn: (input) => (promptOf(input).includes('work as a') ? 'wait' : {}),
    });
    await flight.until('a', 'running');
    await endWithPilot(flight);
    await keep(flight.handle.workflowId);
    await keep(flight.pilot.handle.workflowId, 'pilot');
  },
};

async function killAgent(temporal: TestTemporal, { pilot }: RunningFlight, slug: string): Promise<void> {
  const agent = temporal.client.workflow.getHandle(`${workflowIdOf(pilot.spec.identity)}/${slug}`);
  await agent.signal('kill', { id: 'k1', from: 'tess' });
}

async function endWithPilot({ pilot, handle }: RunningFlight): Promise<void> {
  await pilot.handle.signal('kill', { id: 'k2', from: 'tess' });
  await handle.result();
  // Not from its first run, which may have continued as new.
  await pilot.result();
}
