import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { homePaths, type HomePaths } from '../../config/home.ts';
import { openLog, rotateLive, tailOf } from '../../stack/logs.ts';

let home: HomePaths;

beforeEach(async () => {
  home = homePaths(await mkdtemp(join(tmpdir(), 'murmur-logs-')));
});
afterEach(async () => {
  await rm(home.root, { recursive: true, force: true });
});

describe('a log', () => {
  it('is shortened under a writer that has it open, and its past is kept aside', async () => {
    const log = await openLog(home, 'worker');
    await log.write('old\n'.repeat(100));
    await rotateLive(home, 'worker', 10);
    await log.write('new\n');
    await log.close();
    expect(await readFile(home.logs.worker, 'utf8')).toBe('new\n');
    expect(await readFile(`${home.logs.worker}.1`, 'utf8')).toHaveLength(400);
  });

  it('is left alone below the limit', async () => {
    const log = await openLog(home, 'server');
    await log.write('line\n');
    await log.close();
    await rotateLive(home, 'server', 10);
    expect(await readFile(home.logs.server, 'utf8')).toBe('line\n');
  });

  it('tells its last lines, and nothing when it is not there', async () => {
    expect(await tailOf(home, 'temporal')).toBe('');
    const log = await openLog(home, 'temporal');
    await log.write(Array.from({ length: 20 }, (_, index) => `line ${index.toString()}\n`).join(''));
    await log.close();
    expect(await tailOf(home, 'temporal', 2)).toBe('line 18\nline 19');
  });
});
