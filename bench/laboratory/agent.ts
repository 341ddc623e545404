// A Murmur agent in a measure. Imports the stack and the contract.
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

/** Workspace of the benchmark's agents. */
export const WORKSPACE = 'bench';

export interface SpawnOptions {
  /** Clone URL. */
  readonly repository?: string;
  /** The parent. */
  readonly parent?: SpawnedAgent;
  /** `fake` for the fake backend. */
  readonly model?: string;
}

/** Spawns an agent with a script as its prompt. Resolves when the agent exists. */
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
  // Without this build's defaults: the server of an earlier build refuses unknown fields.
  const { path } = await laboratory.stack().client.call('spawn', input);
  return { slug: path, workflowId: path.slice(1) };
}

/** Sends a follow-up. */
export async function followUp(stack: Stack, agent: SpawnedAgent, prompt: Prompt): Promise<void> {
  await stack.client.call('queue_add', { slug: agent.slug, description: prompt.text, tasks: [] });
}

/** Waits until the agent has answered everything and idles. Throws, with the reason, if it ends instead. */
export async function idle(stack: Stack, agent: SpawnedAgent): Promise<WaitedAgent> {
  const status = await stack.client.wait({ slug: agent.slug, phase: 'idle' });
  if (status.phase === 'idle') return status;
  throw new Error(`${agent.slug} is ${status.phase}: ${status.reason ?? 'no reason given'}`);
}

export async function killAgent(stack: Stack, agent: SpawnedAgent): Promise<void> {
  await stack.client.call('kill', { slug: agent.slug });
}

export interface ResidentAgent {
  /** The idle agent; spawned by the first call. */
  get(): Promise<SpawnedAgent>;
  close(): Promise<void>;
}

/** One agent for all samples of a measure. It is only created if the product is measured. */
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
