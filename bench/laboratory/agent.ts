// An agent of ours in a measure. Imports the stack, the session and contract/wire.
import { workflowIdOf } from '../../contract/wire/identity.ts';
import type { AgentStatus } from '../../contract/wire/agent.ts';
import type { Laboratory } from './laboratory.ts';
import type { Prompt } from './model.ts';
import type { Stack } from './stack.ts';

export interface SpawnedAgent {
  readonly slug: string;
  /** Temporal workflow id. */
  readonly workflowId: string;
}

export interface SpawnOptions {
  readonly repository?: string;
  readonly backend?: 'fake';
}

/** Where the bench's agents live. */
export const WORKSPACE = 'bench';

/** Spawns an agent with a script as its prompt. Resolves with the server's answer: the agent exists. */
export async function spawnAgent(
  laboratory: Laboratory,
  prompt: Prompt,
  options: SpawnOptions = {},
): Promise<SpawnedAgent> {
  const slug = laboratory.name('bench');
  const { path } = (await laboratory.stack().call('spawn', {
    slug,
    description: prompt.text,
    workspace: WORKSPACE,
    ...(options.repository === undefined ? {} : { repos: [{ clone_url: options.repository }] }),
    ...(options.backend === undefined ? {} : { backend: options.backend }),
  })) as { path: string };
  const [, , workspace = '', , account = '', ...names] = path.split('/');
  return { slug: path, workflowId: workflowIdOf({ workspace, account, path: names }) };
}

/** Waits until all that was asked is answered and the agent idles. */
export async function idle(stack: Stack, agent: SpawnedAgent): Promise<AgentStatus> {
  return (await stack.call('wait', { slug: agent.slug, phase: 'idle' })) as AgentStatus;
}

export async function killAgent(stack: Stack, agent: SpawnedAgent): Promise<void> {
  await stack.call('kill', { slug: agent.slug });
}

export interface ResidentAgent {
  /** The agent, idle; spawned at the first call. */
  get(): Promise<SpawnedAgent>;
  close(): Promise<void>;
}

/** One agent for all samples of a measure, made only when ours is measured at all. */
export function residentAgent(laboratory: Laboratory, options: SpawnOptions = {}): ResidentAgent {
  let spawned: Promise<SpawnedAgent> | undefined;
  const spawnIdle = async () => {
    const agent = await spawnAgent(laboratory, laboratory.model.script([{ text: 'ready' }]), options);
    await idle(laboratory.stack(), agent);
    return agent;
  };
  return {
    get: () => (spawned ??= spawnIdle()),
    close: async () => {
      const agent = await spawned?.catch(() => undefined);
      if (agent !== undefined) await killAgent(laboratory.stack(), agent);
    },
  };
}
