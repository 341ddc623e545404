// A Murmur fan-out in a measure, read from the agents' logs. Imports the stack, config/home and the log's driver.
import { homePaths } from '../../config/home.ts';
import type { EventLog } from '../../drivers/events/event-log.ts';
import { createFileEventLog } from '../../drivers/events/file.ts';
import { until } from '../bounded.ts';
import { WORKSPACE } from './agent.ts';
import type { SpawnedAgent } from './agent.ts';
import type { Laboratory } from './laboratory.ts';
import type { Stack } from './stack.ts';

export interface FanOutOptions {
  readonly count: number;
  /** Script for the fake backend. */
  readonly text: string;
  /** The parent. */
  readonly parent?: SpawnedAgent;
  readonly onIdle: 'keep_alive' | 'terminate';
}

/** Spawns all agents by one call. Resolves when they exist. */
export async function spawnFanOut(
  laboratory: Laboratory,
  { count, text, parent, onIdle }: FanOutOptions,
): Promise<readonly SpawnedAgent[]> {
  const stack = laboratory.stack();
  const name = laboratory.name('fan');
  const input = {
    slug: parent === undefined ? `${name}-{}` : `${parent.slug}/${name}-{}`,
    description: `{}: ${text}`,
    items: Array.from({ length: count }, (_, index) => (index + 1).toString()),
    workspace: WORKSPACE,
    model: 'fake',
    on_idle: onIdle,
    max_concurrent: count,
  };
  // Without this build's defaults, as in agent.ts.
  const { slugs } = await stack.client.call('each', input);
  if (slugs.length < count) throw new Error(`only ${slugs.length.toString()} of ${count.toString()} agents exist`);
  const { account } = await stack.client.call('auth', {});
  return slugs.map((slug) => {
    const path = slug.startsWith('/') ? slug : `/w/${WORKSPACE}/u/${account}/${slug}`;
    return { slug: path, workflowId: path.slice(1) };
  });
}

/** Between reads of the logs. The times come from the events. */
const LOOK_MS = 200;

/** When the last agent started its first turn, in milliseconds since the epoch. */
export async function lastTurnStart(stack: Stack, agents: readonly SpawnedAgent[], withinMs: number): Promise<number> {
  const events = createFileEventLog(homePaths(stack.home).events);
  const began = new Map<string, number>();
  const look = async () => {
    for (const { workflowId } of agents) {
      if (began.has(workflowId)) continue;
      const at = await turnStart(events, workflowId);
      if (at === undefined) return undefined;
      began.set(workflowId, at);
    }
    return Math.max(...began.values());
  };
  return until(look, { everyMs: LOOK_MS, withinMs, what: 'the first turn of every agent' });
}

async function turnStart(events: EventLog, agent: string): Promise<number | undefined> {
  const entries = await events.read(agent, 0, 50);
  const entry = entries.find(({ event }) => event.type === 'turn_start');
  return entry === undefined ? undefined : Date.parse(entry.at);
}
