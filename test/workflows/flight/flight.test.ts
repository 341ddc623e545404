// Flights as workflows on a real server: started by their pilots, through lists, gates, failures and continue-as-new.
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { AgentResult, AgentStatus } from '../../../contract/wire/agent.ts';
import { workflowIdOf } from '../../../contract/wire/identity.ts';
import { startFlight } from '../../fixtures/running-flight.ts';
import { agentOf, promptOf } from '../../fixtures/stub-activities.ts';
import { sharedTemporalForFile } from '../../fixtures/temporal-for-file.ts';
import { eventually } from '../../fixtures/waiting.ts';

const temporal = sharedTemporalForFile();

const WHOLE = `---
max_concurrent: 2
---
# Test
## build
> gate: approve

work as build
## polish
> continues: build

work as polish, too
## audit
> needs: polish
> each: all modules

work as audit of {}
## report
> needs: audit

work as report
`;

/** The event type of an accepted update, by its protocol number. */
const UPDATE_ACCEPTED = 41;

describe.each([{ maxCachedWorkflows: 100 }, { maxCachedWorkflows: 0 }])(
  'updates of a flight, $maxCachedWorkflows cached',
  (worker) => {
    it('are refused at once while its plan is read, and leave no event in the history', async () => {
      const { promise: planRead, resolve } = Promise.withResolvers<void>();
      const source = '# Test\n## build\n> gate: approve\n\nwork as build\n';
      await using flight = await startFlight(temporal, source, {}, {}, { ...worker, planRead });
      // Also when the test fails: the worker waits for its activities.
      using _ = { [Symbol.dispose]: resolve };
      const accepted = async (): Promise<number> => {
        const { events } = await flight.handle.fetchHistory();
        return (events ?? []).filter(({ eventType }) => Number(eventType) === UPDATE_ACCEPTED).length;
      };
      await eventually(
        () =>
          flight.handle.describe().then(
            () => true,
            () => false,
          ),
        'the flight',
      );
      await expect(flight.order('approve', { node: 'build' })).rejects.toMatchObject({
        cause: { type: 'UNAVAILABLE' },
      });
      expect(await accepted()).toBe(0);
      resolve();
      await flight.until('build', 'needs-approval');
      await expect(flight.order('rerun', { node: 'build' })).rejects.toMatchObject({
        cause: { type: 'FAILED_PRECONDITION' },
      });
      expect(await accepted()).toBe(0);
      expect(await flight.order('approve', { node: 'build' })).toEqual({ approved_by: 'tess' });
      expect(await accepted()).toBe(1);
    }, 120_000);
  },
);

describe('a flight', () => {
  it('runs its graph through continue-as-new: gate, follow-up, a list from the pilot, and the final answer', async () => {
    await using flight = await startFlight(temporal, WHOLE, {}, { limits: { continue_after_signals: 4 } });
    await flight.until('build', 'needs-approval');
    await expect(flight.order('approve', { node: 'audit' })).rejects.toThrow();
    expect(await flight.order('approve', { node: 'build' })).toEqual({ approved_by: 'tess' });
    await flight.until('audit', 'needs-items');
    await eventually(
      () => flight.pilotMessages().some((text) => text.includes('`audit` runs once for each')),
      'the question',
    );
    expect(await flight.order('items', { node: 'audit', items: ['web', 'api', 'cli'] })).toEqual({ count: 3 });
    await eventually(() => flight.pilotMessages().some((text) => text.includes('are done')), 'the final message');
    const { state, nodes } = await flight.view();
    expect(state).toBe('done');
    expect(nodes.flatMap(({ agents }) => agents.map(({ agent }) => agent))).toEqual([
      'build',
      'build',
      'audit-web',
      'audit-api',
      'audit-cli',
      'report',
    ]);
    // Every question was asked once, no success woke the pilot, and all agents have ended.
    const prompts = flight.stub.turns.map(promptOf);
    expect(prompts.filter((prompt) => prompt.includes('work as'))).toHaveLength(6);
    expect(prompts.filter((prompt) => prompt.includes('[child_lifecycle]'))).toEqual([]);
    const report = prompts.find((prompt) => prompt.includes('work as report'));
    expect(report).toContain('as JSON: {"version":"2.1.0"}');
    expect(report).toMatch(/Done before, by agents of their own:\n- `audit` \(item web\): answer 1\n/);
    await eventually(() => flight.stub.ends.length === 5, 'all agents have ended');
    const { children } = await flight.pilot.handle.query<AgentStatus, [object]>('status', { children: true });
    expect(children?.map(({ slug, flight: isOfFlight }) => [slug, isOfFlight]).toSorted()).toEqual(
      ['audit-api', 'audit-cli', 'audit-web', 'build', 'report'].map((slug) => [slug, true]),
    );
    await flight.pilot.handle.signal('kill', { id: randomUUID(), from: 'tess' });
    expect(await flight.handle.result()).toMatchObject({ state: 'done', name: 'Test' });
  }, 120_000);

  it('runs its graph on a worker without a workflow cache', async () => {
    await using flight = await startFlight(temporal, '# Test\n## a\nwork as a\n', {}, {}, { maxCachedWorkflows: 0 });
    await eventually(() => flight.pilotMessages().some((text) => text.includes('are done')), 'the final message');
    expect(flight.stub.turns.map(promptOf).filter((prompt) => prompt.includes('work as'))).toHaveLength(1);
  }, 120_000);

  it('reports a failure to its pilot, runs it again, and ends with a pilot that has on_idle: terminate', async () => {
    let tries = 0;
    await using flight = await startFlight(
      temporal,
      '# Test\n## a\nwork as a\n## b\n> needs: a\n\nwork as b\n',
      {
        prepare: async (input) => {
          if (!agentOf(input).id.endsWith('/a')) return;
          if ((tries += 1) === 1) throw new Error('no such repository');
        },
      },
      { on_idle: 'terminate', limits: { continue_after_signals: 2 } },
    );
    // An error of the stub would be retried twenty times; a kill is a failure as well.
    await eventually(() => tries > 0, 'the first try');
    await temporal.client.workflow
      .getHandle(`${workflowIdOf(flight.pilot.spec.identity)}/a`)
      .signal('kill', { id: randomUUID(), from: 'tess' });
    await flight.until('a', 'failed');
    await eventually(() => flight.pilotMessages().some((text) => text.includes('`a` has failed')), 'the failure');
    expect(await flight.view()).toMatchObject({
      state: 'waiting',
      nodes: [{ slug: 'a' }, { slug: 'b', state: 'blocked' }],
    });
    expect((await flight.pilot.status()).phase).not.toBe('completed');
    expect(await flight.order('rerun', { node: 'a' })).toEqual({ nodes: ['a'] });
    expect(await flight.pilot.result()).toMatchObject({ phase: 'completed' });
    expect(await flight.handle.result()).toMatchObject({
      state: 'done',
      nodes: [{ agents: [{ agent: 'a-2', attempt: 2 }] }, { state: 'done' }],
    });
    expect(flight.pilotMessages().at(-1)).toContain('All agents of the flight Test are done');
  }, 120_000);

  it('ends with its pilot, and none of its agents is left', async () => {
    await using flight = await startFlight(temporal, '# Test\n## a\nwork as a\n## b\nwork as b\n', {
      turn: (turn) => (promptOf(turn).includes('work as') ? 'wait' : {}),
    });
    await flight.until('a', 'running');
    await eventually(() => flight.stub.turns.filter((turn) => promptOf(turn).includes('work as')).length === 2, 'both');
    await flight.pilot.handle.signal('kill', { id: randomUUID(), from: 'tess' });
    const { receipt } = (await flight.pilot.handle.result()) as AgentResult;
    expect(receipt).toHaveLength(3);
    expect(await flight.handle.result()).toMatchObject({ state: 'ended' });
  }, 120_000);
});
