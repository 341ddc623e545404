// Agents of earlier builds continue under this one. `npm run upgrade` checks the same for any commit.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { homePaths } from '../../config/home.ts';
import { earlierBuild } from '../../scripts/upgrade/earlier-build.ts';
import type { EarlierBuild } from '../../scripts/upgrade/earlier-build.ts';
import { startEarlierStack, startEarlierWorker } from '../../scripts/upgrade/earlier-stack.ts';
import { keptBuilds, newestKeptBuild } from '../../scripts/upgrade/kept-builds.ts';
import { upgradeFrom, WAYS } from '../../scripts/upgrade/upgrade.ts';
import { isRunning } from '../../stack/process.ts';
import { stackProcesses } from '../../stack/supervisor/stack-processes.ts';
import { bash, heldCommand, heldCommandBegan, scripted, settled, spawnAgent } from './fixtures/agent.ts';
import { eventually, startStack } from './fixtures/stack.ts';
import { temporalOf } from './fixtures/temporal.ts';

/** Limit for installing dependencies that differ from the checkout's. */
const PREPARE_MS = 360_000;
/** Limit for two starts of a stack, one per build, and some turns of all agents, on two busy cores. */
const UPGRADE_MS = 300_000;

const newest = await newestKeptBuild();

describe.each(await keptBuilds())('agents of build %s', (commit) => {
  let folder: string;
  let build: EarlierBuild;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'murmur-upgrade-'));
    build = await earlierBuild(commit, folder);
  }, PREPARE_MS);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(WAYS)(
    'left %s go on: at rest, parked, in mid-turn, in a tree, a flight and a fan-out',
    async (way) => {
      const outcomes = await upgradeFrom(build, way);
      expect(outcomes.filter(({ problem }) => problem !== undefined)).toEqual([]);
      expect(outcomes.length).toBeGreaterThan(6);
    },
    UPGRADE_MS,
  );

  // All builds start and end a worker in the same way.
  if (commit !== newest) return;

  describe('a worker of it', () => {
    it(
      'has ended when the next one starts: frozen, after an up that was killed half-way, and with an up of each build at once',
      async () => {
        await using earlier = await startEarlierStack(build);
        const { stack } = earlier;
        const { supervisor, worker } = await earlier.freezeWorker();
        const killed = stack.run(['up']);
        const second = await eventually('the next supervisor waits for the frozen worker', async () => {
          const { supervisor: now } = await stack.record();
          return now.pid !== supervisor.pid && now;
        });
        process.kill(second.pid, 'SIGKILL');
        expect(await killed).toMatchObject({ exitCode: 9, stderr: expect.stringContaining('ended before the stack') });
        expect(await isRunning(worker)).toBe(true);

        const both = Promise.all([stack.murmur(['up']), earlier.up()]);
        await eventually('another worker starts', async () => {
          const { children } = await stack.record();
          return children.worker !== undefined && children.worker.pid !== worker.pid;
        });
        expect(await isRunning(worker)).toBe(false);
        await both;
        expect(await stackProcesses(homePaths(stack.home), 'worker')).toHaveLength(1);
      },
      UPGRADE_MS,
    );

    it(
      'acts on no reference when it polls beside the current one, and the turn continues once it is gone',
      async () => {
        await using stack = await startStack();
        await spawnAgent(stack, 'ada', scripted('Do the job.', bash(heldCommand('job')), { text: 'Done.' }));
        const release = await heldCommandBegan(stack, 'ada', 'job');
        await using temporal = await temporalOf(stack);
        const agent = await temporal.agent('ada');
        const { worker: current } = (await stack.record()).children;
        if (current === undefined) throw new Error('the stack has no worker');
        process.kill(current.pid, 'SIGSTOP');
        try {
          await using _worker = startEarlierWorker(build, stack);
          await eventually('the earlier worker is given the turn', async () => {
            const [pending] = (await agent.describe()).raw.pendingActivities ?? [];
            return pending?.lastFailure?.message?.endsWith('runTurn: Unknown encoding: json/murmur-ref');
          });
        } finally {
          process.kill(current.pid, 'SIGCONT');
        }
        await release();
        const { response, turn } = await settled(stack, 'ada');
        expect([response, turn?.number]).toEqual(['Done.', 1]);
      },
      UPGRADE_MS,
    );
  });
});
