// Flights as workflows on a real server: started by their pilots, through lists, gates, failures and continue-as-new.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { createFlightActivities } from '../../../activities/flight/flight.ts';
import { parseFlight } from '../../../contract/flight/parse.ts';
import type { AgentResult, AgentSpec, AgentStatus } from '../../../contract/wire/agent.ts';
import { flightIdOf, flightKey } from '../../../contract/wire/flight/messages.ts';
import type { FlightUpdates, StoredFlight } from '../../../contract/wire/flight/messages.ts';
import type { FlightView } from '../../../contract/wire/flight/view.ts';
import { workflowIdOf } from '../../../contract/wire/identity.ts';
import { AGENT_TOKEN } from '../../../contract/wire/tokens.ts';
import { createMemoryObjectStore } from '../../../drivers/objects/memory.ts';
import { createMemorySecretStore } from '../../../drivers/secrets/memory.ts';
import { createMemoryTokenStore } from '../../../drivers/tokens/memory.ts';
import { createAgentControl } from '../../../worker/agent-control.ts';
import { createAgentStarter } from '../../../worker/agent-starter.ts';
import { agentSpec } from '../../fixtures/agent-spec.ts';
import { startAgent } from '../../fixtures/running-agent.ts';
import type { RunningAgent } from '../../fixtures/running-agent.ts';
import { promptOf, stubActivities } from '../../fixtures/stub-activities.ts';
import type { StubActivities, StubScript } from '../../fixtures/stub-activities.ts';
import { temporalForFile } from '../../fixtures/temporal-for-file.ts';
import { eventually, PATIENCE_MS } from '../../fixtures/waiting.ts';

const temporal = temporalForFile();

/** Between two questions. */
const QUESTION_MS = 250;

interface RunningFlight extends AsyncDisposable {
  readonly pilot: RunningAgent;
  readonly stub: StubActivities;
  /** What the pilot was told, in order. */
  told(): readonly string[];
  view(): Promise<FlightView>;
  /** Resolves once the flight shows this of a node. */
  until(node: string, state: string): Promise<FlightView>;
  order<Name extends keyof FlightUpdates>(
    name: Name,
    input: Omit<FlightUpdates[Name]['input'], 'id' | 'from'>,
  ): Promise<FlightUpdates[Name]['output']>;
  readonly handle: WorkflowHandle;
}

/** Spawns a pilot with this flight; everything but turns and machines is real. */
async function fly(
  source: string,
  script: StubScript = {},
  changes: Partial<AgentSpec> = {},
  worker = {},
): Promise<RunningFlight> {
  const stores = {
    objects: createMemoryObjectStore(),
    secrets: createMemorySecretStore(),
    tokens: createMemoryTokenStore(),
  };
  const plain = agentSpec();
  const key = flightKey(workflowIdOf(plain.identity), plain.spawn_id);
  const spec: AgentSpec = {
    ...plain,
    prompt: { text: 'you are the pilot' },
    flight: { name: 'Test', key },
    secrets: { ref: 'pilot-secrets', names: ['NPM_KEY'] },
    ...changes,
  };
  const stored: StoredFlight = { plan: parseFlight(source, 'test.md'), inputs: '{"version":"2.1.0"}', tree_limit: 100 };
  await stores.objects.put(key, JSON.stringify(stored));
  await stores.secrets.put('pilot-secrets', { NPM_KEY: 'k', [AGENT_TOKEN]: 'of the pilot' });
  const control = createAgentControl(temporal.client);
  const stub = stubActivities({
    kill: async ({ agents, order }) => {
      await Promise.all(agents.map((agent) => control.signal(agent, 'kill', order)));
      const results = await Promise.all(agents.map((agent) => control.result(agent, AbortSignal.timeout(60_000))));
      return { receipt: results.flatMap((result) => result?.receipt ?? []), unanswered: [] };
    },
    ...script,
  });
  const starter = createAgentStarter(temporal.client, 'nobody');
  const handover = new AbortController().signal;
  const activities = { ...stub.activities, ...createFlightActivities({ ...stores, starter, handover }) };
  const pilot = await startAgent(temporal, {}, spec, { activities, ...worker });
  const handle = temporal.client.workflow.getHandle(flightIdOf(spec.identity));
  const view = (): Promise<FlightView> => handle.query<FlightView>('flight');
  return {
    pilot,
    stub,
    handle,
    view,
    told: () => stub.turns.map(promptOf).filter((prompt) => prompt.includes('[flight]') && !prompt.includes('work as')),
    until: async (node, state) => {
      const deadline = Date.now() + PATIENCE_MS;
      for (;;) {
        const now = await view().catch(() => undefined);
        if (now?.nodes.find(({ slug }) => slug === node)?.state === state) return now;
        if (Date.now() > deadline) throw new Error(`waited in vain: ${node} is ${state}: ${JSON.stringify(now)}`);
        // Each question pushes other workflows out of a worker that keeps none: they come back after their timeout.
        await pause(QUESTION_MS);
      }
    },
    order: (name, input) => handle.executeUpdate(name, { args: [{ id: randomUUID(), from: 'tess', ...input }] }),
    [Symbol.asyncDispose]: async () => {
      await pilot.handle.signal('kill', { id: randomUUID(), from: 'tess' }).catch(() => undefined);
      await pilot.result().catch(() => undefined);
      await handle.terminate('end of test').catch(() => undefined);
      await pilot[Symbol.asyncDispose]();
    },
  };
}

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

describe('a flight', () => {
  it('runs its graph through continue-as-new: gate, follow-up, a list from the pilot, and the final answer', async () => {
    await using flight = await fly(WHOLE, {}, { limits: { continue_after_signals: 4 } });
    await flight.until('build', 'needs-approval');
    await expect(flight.order('approve', { node: 'audit' })).rejects.toThrow();
    expect(await flight.order('approve', { node: 'build' })).toEqual({ approved_by: 'tess' });
    await flight.until('audit', 'needs-items');
    await eventually(() => flight.told().some((text) => text.includes('`audit` runs once for each')), 'the question');
    expect(await flight.order('items', { node: 'audit', items: ['web', 'api', 'cli'] })).toEqual({ count: 3 });
    await eventually(() => flight.told().some((text) => text.includes('are done')), 'the final message');
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
    // Everything was asked once, the pilot was not woken for what went well, and all agents have ended.
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

  it('runs its graph on a worker that keeps nothing between two tasks', async () => {
    await using flight = await fly('# Test\n## a\nwork as a\n', {}, {}, { maxCachedWorkflows: 0 });
    await eventually(() => flight.told().some((text) => text.includes('are done')), 'the final message');
    expect(flight.stub.turns.map(promptOf).filter((prompt) => prompt.includes('work as'))).toHaveLength(1);
  }, 120_000);

  it('tells its pilot of a failure, runs it again, and ends with a pilot that terminates when idle', async () => {
    let tries = 0;
    await using flight = await fly(
      '# Test\n## a\nwork as a\n## b\n> needs: a\n\nwork as b\n',
      {
        prepare: async ({ spec }) => {
          if (spec.identity.path.at(-1) !== 'a') return;
          if ((tries += 1) === 1) throw new Error('no such repository');
        },
      },
      { on_idle: 'terminate', limits: { continue_after_signals: 2 } },
    );
    // The stub's error would be tried twenty times: a kill is as good a failure.
    await eventually(() => tries > 0, 'the first try');
    await temporal.client.workflow
      .getHandle(`${workflowIdOf(flight.pilot.spec.identity)}/a`)
      .signal('kill', { id: randomUUID(), from: 'tess' });
    await flight.until('a', 'failed');
    await eventually(() => flight.told().some((text) => text.includes('`a` has failed')), 'the failure');
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
    expect(flight.told().at(-1)).toContain('All agents of the flight Test are done');
  }, 120_000);

  it('ends with its pilot, and nothing of it is left', async () => {
    await using flight = await fly('# Test\n## a\nwork as a\n## b\nwork as b\n', {
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
