// Agents that an earlier build has started go on under this one. `npm run upgrade` tries the same from any commit.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { earlierBuild } from '../../scripts/upgrade/earlier-build.ts';
import type { EarlierBuild } from '../../scripts/upgrade/earlier-build.ts';
import { keptBuilds } from '../../scripts/upgrade/kept-builds.ts';
import { upgradeFrom, WAYS } from '../../scripts/upgrade/upgrade.ts';

/** Dependencies that are not those of the checkout are installed. */
const PREPARE_MS = 360_000;
/** Two starts of a stack, one by each build, and some turns of every agent at once, on two busy cores. */
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
