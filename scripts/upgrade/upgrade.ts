// Upgrades from an earlier build to the current one: takes over homes of the earlier build, whose agents continue.
import { strict as assert } from 'node:assert';
import { heldCommandBegan } from '../../test/e2e/fixtures/agent.ts';
import { processesWith } from '../../test/e2e/fixtures/processes.ts';
import { eventually } from '../../test/e2e/fixtures/stack.ts';
import { leaveAgents, WORKER } from './agents.ts';
import { buildOfNewRunners, checkOfCutOff, checkOfTakeover, checksOfAll, runnerHealth } from './checks.ts';
import type { Check } from './checks.ts';
import type { EarlierBuild } from './earlier-build.ts';
import { startEarlierStack } from './earlier-stack.ts';
import type { EarlierStack } from './earlier-stack.ts';

/** How the earlier build was stopped. */
export const WAYS = ['stopped', 'in mid-turn'] as const;
export type Way = (typeof WAYS)[number];

/** The result of a check; it passed if there is no problem. */
export interface Outcome {
  readonly name: string;
  readonly problem?: string;
}

/** Prepares a home in this way, takes it over and runs all checks. Ends everything that it started. */
export async function upgradeFrom(build: EarlierBuild, way: Way): Promise<readonly Outcome[]> {
  const earlier = await startEarlierStack(build);
  const { stack } = earlier;
  let outcomes: readonly Outcome[];
  try {
    outcomes = await takeOver(earlier, way);
  } catch (error) {
    outcomes = [{ name: `the home (${way}) is taken over`, problem: problemOf(error) }];
  } finally {
    await earlier[Symbol.asyncDispose]();
  }
  const cleanEnd = await outcomeOf({
    name: 'murmur down leaves nothing of either build behind',
    run: async () =>
      void (await eventually('every process ends', async () => (await processesWith(stack.home)).length === 0, 30_000)),
  });
  return [...outcomes, cleanEnd];
}

async function takeOver(earlier: EarlierStack, way: Way): Promise<readonly Outcome[]> {
  const { stack } = earlier;
  await leaveAgents(earlier);
  const release = await heldCommandBegan(stack, WORKER.slug, WORKER.job);
  const runner = await runnerHealth(stack, WORKER.slug);
  if (way === 'stopped') {
    await earlier.down();
    assert.deepEqual(await processesWith(stack.home), [], 'murmur down of the earlier build leaves nothing behind');
    // A repeated turn runs the command again.
    await release();
  } else await earlier.killButRunners();
  await stack.murmur(['up']);
  const taken = { stack, today: await buildOfNewRunners(stack) };
  const own = way === 'stopped' ? checkOfCutOff(taken) : checkOfTakeover(taken, release, runner);
  return await Promise.all([own, ...checksOfAll(taken)].map(outcomeOf));
}

async function outcomeOf({ name, run }: Check): Promise<Outcome> {
  try {
    await run();
    return { name };
  } catch (error) {
    return { name, problem: problemOf(error) };
  }
}

function problemOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
