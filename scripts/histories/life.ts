// Runs an agent as a scenario.
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { KillAgentsInput, AgentActivities } from '../../contract/wire/activities.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { killAgents } from '../../activities/kill-agents.ts';
import { createMemoryTokenStore } from '../../drivers/tokens/memory.ts';
import { createAgentControl } from '../../agents/control.ts';
import { untilStarted } from '../../agents/start.ts';
import { agentSpec } from '../../test/fixtures/agent-spec.ts';
import { startAgent } from '../../test/fixtures/running-agent.ts';
import type { RunningAgent } from '../../test/fixtures/running-agent.ts';
import type { StubScript } from '../../test/fixtures/stub-activities.ts';
import type { TestTemporal } from '../../test/fixtures/temporal.ts';
import type { Scenario } from './scenario.ts';

/** Keeps the current histories of the agent and its children. */
export type KeepMoment = (moment: string) => Promise<void>;

export interface AgentLife {
  readonly script?: StubScript;
  readonly spec?: Partial<AgentSpec>;
  play(agent: RunningAgent, temporal: TestTemporal, keep: KeepMoment): Promise<unknown>;
  /** Paths, relative to the agent, of children whose histories are kept too. */
  readonly children?: readonly string[];
}

/** Scenarios that keep the histories once more after the agent's end. */
export function scenariosOf(lives: Readonly<Record<string, AgentLife>>): Readonly<Record<string, Scenario>> {
  return Object.fromEntries(Object.entries(lives).map(([name, life]) => [name, scenarioOf(life)]));
}

function scenarioOf({ script, spec, play, children = [] }: AgentLife): Scenario {
  return async (temporal, keep) => {
    const kill = (input: KillAgentsInput, activities: AgentActivities) => killTree(temporal, input, activities);
    await using agent = await startAgent(temporal, { kill, ...script }, spec);
    const keepAll = async (moment?: string): Promise<void> => {
      await keep(agent.handle.workflowId, moment);
      for (const path of children) {
        const part = [path.replaceAll('/', '-'), ...(moment === undefined ? [] : [moment])].join('-');
        await keep(`${agent.handle.workflowId}/${path}`, part);
      }
    };
    await play(agent, temporal, keepAll);
    await keepAll();
  };
}

/** The real activity, with stubs for the end of each agent. */
function killTree(temporal: TestTemporal, input: KillAgentsInput, { endAgent }: AgentActivities) {
  const ports = {
    control: createAgentControl(temporal.client),
    handover: new AbortController().signal,
    tokenStore: createMemoryTokenStore(),
  };
  return killAgents(ports, endAgent, input);
}

/** A child of another agent. */
export function childOf(parent: AgentSpec, slug: string, changes: Partial<AgentSpec> = {}): AgentSpec {
  const identity = { ...parent.identity, path: [...parent.identity.path, slug] };
  return agentSpec({ identity, created_by: 'tess', prompt: { text: `work as ${slug}` }, ...changes });
}

/** Spawns the child; resolves once its workflow exists. */
export async function spawn(temporal: TestTemporal, parent: AgentSpec, child: AgentSpec): Promise<void> {
  const handle = temporal.client.workflow.getHandle(workflowIdOf(parent.identity));
  await handle.executeUpdate('spawnChild', { args: [{ spec: child }], updateId: child.spawn_id });
  await untilStarted(temporal.client, child);
}
