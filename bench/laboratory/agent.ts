// An agent of ours in a measure. Imports the stack and the contract.
import type { WaitedAgent } from '../../client/index.ts';
import type { Laboratory } from './laboratory.ts';
import type { Prompt } from './model.ts';
import type { Stack } from './stack.ts';

export interface SpawnedAgent {
  /** Absolute path. */
  readonly slug: string;
  /** Temporal workflow id. */
  readonly workflowId: string;
}

/** Where the bench's agents live. */
export const WORKSPACE = 'bench';

export interface SpawnOptions {
  /** Clone URL. */
  readonly repository?: string;
  /** The agent that it is a child of. */
  readonly parent?: SpawnedAgent;
  /** `fake` asks for the fake backend. */
  readonly model?: string;
}

/** Spawns an agent with a script as its prompt. Resolves with the server's answer: the agent exists. */
export async function spawnAgent(
  laboratory: Laboratory,
  prompt: Prompt,
  { repository, parent, model }: SpawnOptions = {},
): Promise<SpawnedAgent> {
  const name = laboratory.name('bench');
  const input = {
    slug: parent === undefined ? name : `${parent.slug}/${name}`,
    description: prompt.text,
    workspace: WORKSPACE,
    repos: repository === undefined ? [] : [{ clone_url: repository }],
    ...(model === undefined ? {} : { model }),
  };
  // Without the defaults of this build: the server of an earlier one refuses fields that it does not know.
  const { path } = await laboratory.stack().client.call('spawn', input);
  return { slug: path, workflowId: path.slice(1) };
}

/** Starts a turn, or queues for the next one. */
export async function followUp(stack: Stack, agent: SpawnedAgent, prompt: Prompt): Promise<void> {
  await stack.client.call('queue_add', { slug: agent.slug, description: prompt.text, tasks: [] });
}

/** Waits until all that was asked is answered and the agent idles. Throws, with its reason, when it ends instead. */
export async function idle(stack: Stack, agent: SpawnedAgent): Promise<WaitedAgent> {
  const status = await stack.client.wait({ slug: agent.slug, phase: 'idle' });
  if (status.phase === 'idle') return status;
  throw new Error(`${agent.slug} is ${status.phase}: ${status.reason ?? 'no reason given'}`);
}

export async function killAgent(stack: Stack, agent: SpawnedAgent): Promise<void> {
  await stack.client.call('kill', { slug: agent.slug });
}

export interface ResidentAgent {
  /** The agent, idle; spawned at the first call. */
  get(): Promise<SpawnedAgent>;
  close(): Promise<void>;
}

/** One agent for all samples of a measure, made only when ours is measured at all. */
export function residentAgent(laboratory: Laboratory): ResidentAgent {
  let spawned: Promise<SpawnedAgent> | undefined;
  const spawnIdle = async () => {
    const agent = await spawnAgent(laboratory, laboratory.model.script([{ text: 'ready' }]));
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
