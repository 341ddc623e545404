import { describe, expect, it } from '@jest/globals';
import { startAgent } from '../../fixtures/running-agent.ts';
import { sharedTemporalForFile } from '../../fixtures/temporal-for-file.ts';
import { eventually } from '../../fixtures/waiting.ts';

const temporal = sharedTemporalForFile();

/** Names of history event types, as Temporal calls them, by their protocol numbers. */
const UPSERT = 40;
const ACTIVITY_SCHEDULED = 10;

describe("Temporal's own view of an agent", () => {
  it('has the phase as a search attribute, a summary for each activity, and the details', async () => {
    await using agent = await startAgent(temporal, { turn: () => 'wait' });
    await agent.until((now) => now.turn?.running === true);
    const phase = async () => (await agent.handle.describe()).searchAttributes['MurmurPhase'];
    await eventually(async () => JSON.stringify(await phase()) === '["running"]', 'running in visibility');
    const { currentDetails } = await agent.handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toContain('- **phase**: running');
    expect(currentDetails).toContain('- **turn**: 1 (running)');
    expect(currentDetails).toContain(agent.spec.machine.name);
    await agent.handle.signal('interrupt');
    await agent.untilIdle();
    await eventually(async () => JSON.stringify(await phase()) === '["idle"]', 'idle in visibility');
    const { events = [] } = await agent.handle.fetchHistory();
    const summaries = (events ?? [])
      .filter((event) => Number(event.eventType) === ACTIVITY_SCHEDULED)
      .map((event) => JSON.parse(Buffer.from(event.userMetadata?.summary?.data ?? '""').toString()) as string);
    expect(summaries).toEqual(['machine and workspace', 'turn 1', 'interrupt turn 1']);
  }, 120_000);

  it('costs at most 15 events for a follow-up to an idle agent', async () => {
    await using agent = await startAgent(temporal);
    await agent.untilIdle();
    // The last write of a turn's events belongs to its history, but follows the phase that the query shows.
    await eventually(() => agent.stub.log[agent.stub.log.length - 1]?.event.type === 'phase', 'published');
    await agent.status();
    const lengthNow = async () => (await agent.handle.fetchHistory()).events?.length ?? 0;
    const costs: number[] = [];
    // A slow worker adds a workflow task, which is not a cost of the turn: the cheapest turn counts.
    for (const answer of ['answer 2', 'answer 3', 'answer 4']) {
      const before = await settled(lengthNow);
      await agent.queueAdd('more');
      await agent.until((now) => now.response === answer && now.phase === 'idle');
      costs.push((await settled(lengthNow)) - before);
    }
    expect(Math.min(...costs)).toBeGreaterThan(5);
    expect(Math.min(...costs)).toBeLessThanOrEqual(15);
  }, 120_000);

  it('upserts nothing between back-to-back turns', async () => {
    await using agent = await startAgent(temporal, {}, { tasks: ['never done'] });
    await agent.until((now) => now.phase === 'idle');
    const { events } = await agent.handle.fetchHistory();
    expect(agent.stub.turns).toHaveLength(4);
    expect((events ?? []).filter((event) => Number(event.eventType) === UPSERT)).toHaveLength(2);
  }, 120_000);
});

/** The history length once two readings agree with a query between them: a query is answered after pending tasks. */
async function settled(length: () => Promise<number>): Promise<number> {
  let before = -1;
  let now = await length();
  for (let looks = 0; before !== now && looks < 200; looks += 1) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 100));
    now = await length();
  }
  return now;
}
