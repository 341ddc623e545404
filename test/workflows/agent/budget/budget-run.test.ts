// Budgets in workflows on a real server: notices, the limit, parking, raising; alone and in a tree, also without cached
// workflows and while agents continue as new.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import type { RunTurnInput } from '../../../../contract/wire/activities.ts';
import type { AgentSpec, AgentStatus } from '../../../../contract/wire/agent.ts';
import { workflowIdOf } from '../../../../contract/wire/identity.ts';
import type { TurnNotice, TurnOutcome } from '../../../../contract/wire/turns.ts';
import { untilStarted } from '../../../../agents/start.ts';
import { createAgentControl } from '../../../../agents/control.ts';
import { agentSpec } from '../../../fixtures/agent-spec.ts';
import { startAgent } from '../../../fixtures/running-agent.ts';
import type { RunningAgent } from '../../../fixtures/running-agent.ts';
import { agentOf, promptOf } from '../../../fixtures/stub-activities.ts';
import { sharedTemporalForFile } from '../../../fixtures/temporal-for-file.ts';
import { answered, eventually, gate } from '../../../fixtures/waiting.ts';

const temporal = sharedTemporalForFile();

function handleOf(spec: AgentSpec): WorkflowHandle {
  return temporal.client.workflow.getHandle(workflowIdOf(spec.identity));
}

function childSpec(parent: AgentSpec, slug: string, changes: Partial<AgentSpec> = {}): AgentSpec {
  const identity = { ...parent.identity, path: [...parent.identity.path, slug] };
  return agentSpec({ identity, prompt: { text: `work as ${slug}` }, ...changes });
}

async function spawn(parent: AgentSpec, child: AgentSpec): Promise<void> {
  await handleOf(parent).executeUpdate('spawnChild', { args: [{ spec: child }], updateId: child.spawn_id });
  await untilStarted(temporal.client, child);
}

async function statusOf(spec: AgentSpec): Promise<AgentStatus> {
  return await answered(() =>
    handleOf(spec).query<AgentStatus, [object]>('status', { children: true, timeline: ['phase'] }),
  );
}

async function raise(spec: AgentSpec, usd: number): Promise<void> {
  const order = { id: randomUUID(), from: 'tess', max_cost_usd: usd };
  await handleOf(spec).executeUpdate('setBudget', { args: [order], updateId: order.id });
}

/** What the turns of the named agent wait for before they use anything. */
const held = new Map<string, Promise<void>>();

/** Number of reports and messages so far, by agent. */
const reports = new Map<string, number>();

/**
 * A turn that uses `step` dollars per message until it has used `whole` or is interrupted. Like the real activity, it
 * reports only at the thresholds.
 */
async function spend(
  input: RunTurnInput,
  whole: number,
  step: number,
  isInterrupted: () => boolean,
): Promise<Partial<TurnOutcome>> {
  const control = createAgentControl(temporal.client);
  const agent = agentOf(input).id;
  await held.get(agent.split('/').at(-1) ?? '');
  let mark = input.report_at_usd ?? Infinity;
  let used = 0;
  while (used < whole - 1e-9 && !isInterrupted()) {
    used += step;
    while (used >= mark) {
      reports.set(agent, (reports.get(agent) ?? 0) + 1);
      // A report can fail, for example when a workflow is evicted from a worker's cache; the next message repeats it.
      const answer = await control
        .reportUsage(agent, { turn_id: input.turn_id, used_usd: used })
        .catch(() => undefined);
      if (answer === undefined) break;
      if ((answer.report_at_usd ?? Infinity) <= used) await pause(10);
      mark = answer.report_at_usd ?? Infinity;
      if (isInterrupted()) break;
    }
    if (input.report_at_usd !== undefined) await pause(1);
  }
  return { status: isInterrupted() ? 'interrupted' : 'completed', cost: { usd: used, by_model: {} } };
}

/** Notices that the turn received while it ran. */
function noticesOf({ stub }: RunningAgent, { turn_id: id }: RunTurnInput): readonly TurnNotice[] {
  return stub.notices.filter((each) => each.turn_id === id).map(({ notice }) => notice);
}

/** A tree in which a turn costs what its prompt says: `spend 0.30`. */
async function spenders(spec: Partial<AgentSpec>, worker = {}): Promise<RunningAgent> {
  const lead: RunningAgent = await startAgent(
    temporal,
    {
      turn: async (input) => {
        const whole = /spend ([\d.]+)/.exec(promptOf(input))?.[1];
        const isInterrupted = (): boolean => lead.stub.interrupts.some((each) => each.turn_id === input.turn_id);
        // The rest of an interrupted turn is in the note, which quotes the prompt.
        const outcome = await spend(input, Number(whole ?? 0.02), 0.02, isInterrupted);
        const notices = noticesOf(lead, input).map(({ id }) => id);
        return { ...outcome, notices };
      },
    },
    spec,
    worker,
  );
  return lead;
}

const isParked = ({ parked }: AgentStatus): boolean => parked !== undefined;

describe.each([{ maxCachedWorkflows: 100 }, { maxCachedWorkflows: 0 }])(
  'an agent with a budget, $maxCachedWorkflows cached',
  (worker) => {
    it('is interrupted at the limit, parks and says what to do, and resumes when the limit is raised', async () => {
      await using lead = await spenders({ max_cost_usd: 0.5, prompt: { text: 'spend 0.80' } }, worker);
      const parked = await lead.until(isParked);
      const path = `/${workflowIdOf(lead.spec.identity)}`;
      expect(parked).toMatchObject({ phase: 'idle', turn: { number: 1, running: false } });
      expect(parked.parked?.reason).toContain(`\`murmur budget ${path} <usd>\``);
      expect(parked.budget?.used_usd).toBeGreaterThanOrEqual(0.5);
      expect(parked.budget?.used_usd).toBeLessThan(0.56);
      expect(reports.get(workflowIdOf(lead.spec.identity))).toBeLessThan(15);
      // A message waits as well; the raise wakes the agent for both.
      await lead.queueAdd('spend 0.02');
      await raise(lead.spec, 5);
      const idle = await lead.untilIdle();
      expect(idle).toMatchObject({ budget: { limit_usd: 5 }, queued: [] });
      const [first, second] = lead.stub.turns as [RunTurnInput, RunTurnInput];
      expect(promptOf(second)).toContain('interrupted because the budget was used up');
      // The notice was delivered during the turn and is not repeated.
      expect(noticesOf(lead, first).map(({ text }) => text)).toEqual([expect.stringMatching(/is used to 8\d %/)]);
      expect(lead.stub.notices).toHaveLength(1);
      expect(promptOf(second)).not.toContain('is used to');
      const { timeline = [] } = await statusOf(lead.spec);
      const notes = timeline.flatMap((entry) => (entry.type === 'note' ? [entry.text] : []));
      expect(notes).toEqual([
        expect.stringContaining('of the budget of $0.50'),
        expect.stringContaining('turn 1 is interrupted'),
        expect.stringContaining('the budget is $5.00, set by tess'),
      ]);
    }, 120_000);
  },
);

describe('a tree with a budget', () => {
  it('stays within the limit, notifies, parks and resumes every agent, and keeps all costs at the end', async () => {
    // It continues as new repeatedly, by the number of its turns and signals.
    const limits = { continue_after_turns: 1, continue_after_signals: 8 };
    await using lead = await spenders({ max_cost_usd: 1, prompt: { text: 'spend 0.10' }, limits });
    await lead.untilIdle();
    const quick = childSpec(lead.spec, 'quick', { prompt: { text: 'spend 0.05' }, on_idle: 'terminate' });
    await spawn(lead.spec, quick);
    await eventually(async () => (await statusOf(lead.spec)).children?.[0]?.phase === 'completed', 'the end of quick');
    const ended = (await statusOf(lead.spec)).children?.[0]?.cost_usd ?? 0;
    expect(ended).toBeGreaterThanOrEqual(0.05);
    const kid = childSpec(lead.spec, 'kid', { prompt: { text: 'spend 1' }, limits });
    const deep = childSpec(kid, 'deep', { prompt: { text: 'spend 1' } });
    await spawn(lead.spec, kid);
    await spawn(kid, deep);
    for (const spec of [kid, deep])
      await eventually(async () => isParked(await statusOf(spec)), `${spec.identity.path.join('/')} to park`);
    const reason = (await statusOf(deep)).parked?.reason;
    expect(reason).toContain(`the budget of /${workflowIdOf(lead.spec.identity)} ($1.00)`);
    let spent = 0;
    // The root is at most one message behind each agent.
    await eventually(async () => {
      const [top, ...below] = [await statusOf(lead.spec), await statusOf(kid), await statusOf(deep)];
      spent = [top, ...below].reduce((sum, { cost }) => sum + cost.own_usd, ended);
      return Math.abs(top.cost.total_usd - spent) < 1e-6 && Math.abs((top.budget?.used_usd ?? 0) - spent) < 1e-6;
    }, 'the top to know what was spent');
    // Each running turn can overshoot by the messages sent while it is being interrupted.
    expect(spent).toBeLessThan(1.1);

    await raise(lead.spec, 10);
    await eventually(async () => (await statusOf(lead.spec)).parked === undefined, 'the tree to go on');
    for (const spec of [kid, deep]) {
      await eventually(async () => {
        const { phase, pending_input } = await statusOf(spec);
        return phase === 'idle' && !pending_input;
      }, 'its end');
    }
    // Money returned by one agent may resume another before the raise: each parks at least once.
    const resumed = lead.stub.turns.filter((turn) => promptOf(turn).includes('interrupted because the budget'));
    const names = new Set(resumed.map((turn) => agentOf(turn).id.split('/').at(-1)));
    expect([...names].sort()).toEqual(['deep', 'kid']);
    // Each agent got the notice once, in its turn or, if parked by then, with its next turn.
    for (const spec of [kid, deep]) {
      const turns = lead.stub.turns.filter((turn) => agentOf(turn).spawnId === spec.spawn_id);
      const told = turns.flatMap((turn) => [promptOf(turn), ...noticesOf(lead, turn).map(({ text }) => text)]);
      expect(told.filter((text) => text.includes('is used to'))).toHaveLength(1);
    }
    expect(lead.stub.notices.length).toBeGreaterThan(0);
    await handleOf(deep).signal('kill', { id: 'k', from: 'tess' });
    await handleOf(deep).result();
    await eventually(async () => {
      const [top, mid] = [await statusOf(lead.spec), await statusOf(kid)];
      return Math.abs(top.cost.children_usd - ended - mid.cost.total_usd) < 1e-6;
    }, 'all costs to be known at the top');
    await handleOf(kid).signal('kill', { id: 'k', from: 'tess' });
    await handleOf(kid).result();
  }, 120_000);

  it('applies a new limit to children that already run', async () => {
    await using lead = await spenders({ prompt: { text: 'spend 0.10' } });
    await lead.untilIdle();
    const kid = childSpec(lead.spec, 'kid', { prompt: { text: 'spend 0.10' } });
    await spawn(lead.spec, kid);
    await eventually(async () => (await statusOf(kid)).phase === 'idle', 'the child to idle');
    await raise(lead.spec, 0.25);
    await eventually(async () => (await statusOf(kid)).budget !== undefined, 'the child to know of it');
    await handleOf(kid).signal('queueAdd', { id: randomUUID(), text: { text: 'spend 3' }, from: 'tess' });
    await eventually(async () => isParked(await statusOf(kid)), 'the child to park');
    expect((await statusOf(kid)).cost.own_usd).toBeLessThan(0.2);
    await expect(spawn(lead.spec, childSpec(lead.spec, 'late'))).rejects.toMatchObject({
      cause: expect.objectContaining({ type: 'RESOURCE_EXHAUSTED' }),
    });
    await handleOf(kid).signal('kill', { id: 'k', from: 'tess' });
    await handleOf(kid).result();
  }, 120_000);

  it('applies a new limit to running turns from their next report on', async () => {
    const rising = gate();
    await using lead = await spenders({ prompt: { text: 'spend 0.10' } });
    await lead.untilIdle();
    held.set('kid', rising.opened);
    const kid = childSpec(lead.spec, 'kid', { prompt: { text: 'spend 9' } });
    await spawn(lead.spec, kid);
    await eventually(async () => (await statusOf(kid)).phase === 'running', 'the child to work');
    await raise(lead.spec, 0.5);
    await eventually(async () => (await statusOf(kid)).budget !== undefined, 'the child to know of it');
    rising.open();
    await eventually(async () => isParked(await statusOf(kid)), 'the child to park');
    expect((await statusOf(kid)).cost.own_usd).toBeLessThan(0.6);
    await handleOf(kid).signal('kill', { id: 'k', from: 'tess' });
    await handleOf(kid).result();
  }, 120_000);
});
