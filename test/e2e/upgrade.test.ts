// Agents of earlier builds continue under this one. `npm run upgrade` checks the same for any commit.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { earlierBuild } from '../../scripts/upgrade/earlier-build.ts';
import type { EarlierBuild } from '../../scripts/upgrade/earlier-build.ts';
import { keptBuilds } from '../../scripts/upgrade/kept-builds.ts';
import { upgradeFrom, WAYS } from '../../scripts/upgrade/upgrade.ts';

/** Limit for installing dependencies that differ from the checkout's. */
const PREPARE_MS = 360_000;
/** Limit for two starts of a stack, one per build, and some turns of all agents, on two busy cores. */
const UPGRADE_MS = 300_000;

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
});
