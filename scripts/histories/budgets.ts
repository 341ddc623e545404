// Agents with budgets, alone and in a tree: notified at 80 %, stopped at the limit, raised.
import { setTimeout as pause } from 'node:timers/promises';
import type { AgentSpec, AgentStatus } from '../../contract/wire/agent.ts';
import type { RunTurnInput } from '../../contract/wire/activities.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import type { TurnOutcome } from '../../contract/wire/turns.ts';
import { createAgentControl } from '../../agents/control.ts';
import { startAgent } from '../../test/fixtures/running-agent.ts';
import type { RunningAgent } from '../../test/fixtures/running-agent.ts';
import { agentOf, promptOf } from '../../test/fixtures/stub-activities.ts';
import type { TestTemporal } from '../../test/fixtures/temporal.ts';
import { answered, eventually, gate } from '../../test/fixtures/waiting.ts';
import { childOf, spawn } from './life.ts';
import type { Scenario } from './scenario.ts';

const KILL = { id: 'k1', from: 'tess' } as const;

/** The cost of each model message, in dollars. */
const STEP_USD = 0.02;

/** A tree in which a turn costs what its prompt says, as in `spend 0.30`, and reports usage like a real turn. */
async function spenders(
  temporal: TestTemporal,
  spec: Partial<AgentSpec>,
  holding: ReadonlyMap<string, Promise<void>> = new Map(),
): Promise<RunningAgent> {
  const control = createAgentControl(temporal.client);
  const lead: RunningAgent = await startAgent(temporal, { turn }, spec);
  return lead;

  async function turn(input: RunTurnInput): Promise<Partial<TurnOutcome>> {
    const { turn_id, report_at_usd: firstMark } = input;
    const { id } = agentOf(input);
    await holding.get(id.split('/').at(-1) ?? '');
    const whole = Number(/spend ([\d.]+)/.exec(promptOf(input))?.[1] ?? STEP_USD);
    const isInterrupted = (): boolean => lead.stub.interrupts.some((each) => each.turn_id === turn_id);
    let mark = firstMark ?? Infinity;
    let used = 0;
    while (used < whole - 1e-9 && !isInterrupted()) {
      used += STEP_USD;
      while (used >= mark && !isInterrupted()) {
        const answer = await control.reportUsage(id, { turn_id, used_usd: used });
        mark = answer.report_at_usd ?? Infinity;
        if (mark <= used) await pause(10);
      }
      await pause(1);
    }
    const notices = lead.stub.notices.filter((each) => each.turn_id === turn_id).map(({ notice }) => notice.id);
    return {
      status: isInterrupted() ? 'interrupted' : 'completed',
      cost: { usd: used, by_model: {} },
      ...(notices.length === 0 ? {} : { notices }),
    };
  }
}

function handleOf(temporal: TestTemporal, spec: AgentSpec) {
  return temporal.client.workflow.getHandle(workflowIdOf(spec.identity));
}

async function statusOf(temporal: TestTemporal, spec: AgentSpec): Promise<AgentStatus> {
  return await answered(() => handleOf(temporal, spec).query<AgentStatus>('status'));
}

async function raise(temporal: TestTemporal, spec: AgentSpec, usd: number): Promise<void> {
  const order = { id: `b-${usd.toString()}`, from: 'tess', max_cost_usd: usd };
  await handleOf(temporal, spec).executeUpdate('setBudget', { args: [order], updateId: order.id });
}

async function parks(temporal: TestTemporal, spec: AgentSpec): Promise<void> {
  await eventually(
    async () => {
      const { phase, parked } = await statusOf(temporal, spec);
      return phase === 'idle' && parked !== undefined;
    },
    `${spec.identity.path.join('/')} to park`,
  );
}

async function idles(temporal: TestTemporal, spec: AgentSpec): Promise<void> {
  await eventually(
    async () => {
      const { phase, parked, pending_input } = await statusOf(temporal, spec);
      return (phase === 'idle' || phase === 'task-complete') && parked === undefined && !pending_input;
    },
    `${spec.identity.path.join('/')} to idle`,
  );
}

export const BUDGET_SCENARIOS: Readonly<Record<string, Scenario>> = {
  'budget-alone': async (temporal, keep) => {
    await using lead = await spenders(temporal, { max_cost_usd: 0.5, prompt: { text: 'spend 3' } });
    const id = lead.handle.workflowId;
    await parks(temporal, lead.spec);
    await keep(id, 'parked');
    await lead.queueAdd('spend 0.02');
    await raise(temporal, lead.spec, 5);
    await lead.untilIdle();
    await keep(id, 'raised');
    await raise(temporal, lead.spec, 0.1);
    await lead.queueAdd('spend 0.02');
    await parks(temporal, lead.spec);
    await lead.handle.signal('kill', KILL);
    await lead.result();
    await keep(id);
  },
  // Grants, requests and reports between three levels. Each agent gets its notice once, parks, resumes and ends, with
  // repeated continue-as-new.
  'budget-tree': async (temporal, keep) => {
    const limits = { continue_after_turns: 2, continue_after_signals: 8 };
    await using lead = await spenders(temporal, { max_cost_usd: 1, prompt: { text: 'spend 0.10' }, limits });
    await lead.untilIdle();
    const kid = childOf(lead.spec, 'kid', { prompt: { text: 'spend 1' }, limits, max_cost_usd: 3 });
    const deep = childOf(kid, 'deep', { prompt: { text: 'spend 1' } });
    const ids = [lead.spec, kid, deep].map((spec) => workflowIdOf(spec.identity));
    const keepAll = async (moment: string): Promise<void> => {
      for (const [index, id] of ids.entries()) await keep(id, `${['lead', 'kid', 'deep'][index] ?? ''}-${moment}`);
    };
    await spawn(temporal, lead.spec, kid);
    await spawn(temporal, kid, deep);
    await parks(temporal, kid);
    await parks(temporal, deep);
    await keepAll('parked');
    await raise(temporal, lead.spec, 10);
    await idles(temporal, kid);
    await idles(temporal, deep);
    await keepAll('raised');
    await handleOf(temporal, kid).signal('queueAdd', { id: 'q1', text: { text: 'spend 4' }, from: 'tess' });
    await parks(temporal, kid);
    await handleOf(temporal, deep).signal('kill', KILL);
    await handleOf(temporal, deep).result();
    await handleOf(temporal, kid).signal('stop', { id: 's1', from: 'tess' });
    await handleOf(temporal, kid).result();
    await lead.untilIdle();
    await lead.handle.signal('kill', KILL);
    await lead.result();
    await keepAll('ended');
  },
  // A tree gets its first limit while a turn runs that started without one.
  'budget-late': async (temporal, keep) => {
    const rising = gate();
    await using lead = await spenders(temporal, { prompt: { text: 'spend 0.10' } }, new Map([['kid', rising.opened]]));
    await lead.untilIdle();
    const kid = childOf(lead.spec, 'kid', { prompt: { text: 'spend 9' } });
    await spawn(temporal, lead.spec, kid);
    await eventually(async () => (await statusOf(temporal, kid)).phase === 'running', 'the child to work');
    await raise(temporal, lead.spec, 0.5);
    await eventually(async () => (await statusOf(temporal, kid)).budget !== undefined, 'the child to know of it');
    await keep(workflowIdOf(kid.identity), 'kid-in-turn');
    await keep(lead.handle.workflowId, 'lead-granting');
    rising.open();
    await parks(temporal, kid);
    await spawn(temporal, lead.spec, childOf(lead.spec, 'late')).catch(() => undefined);
    await handleOf(temporal, kid).signal('kill', KILL);
    await handleOf(temporal, kid).result();
    await lead.handle.signal('kill', KILL);
    await lead.result();
    await keep(workflowIdOf(kid.identity), 'kid');
    await keep(lead.handle.workflowId, 'lead');
  },
};
