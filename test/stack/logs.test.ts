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
  it('is rotated while a writer has it open, and the old content is kept', async () => {
    const log = await openLog(home, 'worker');
    await log.write('old\n'.repeat(100));
    await rotateLive(home, 'worker', 10);
    await log.write('new\n');
    await log.close();
    expect(await readFile(home.logs.worker, 'utf8')).toBe('new\n');
    expect(await readFile(`${home.logs.worker}.1`, 'utf8')).toHaveLength(400);
  });

  it('is not changed below the limit', async () => {
    const log = await openLog(home, 'server');
    await log.write('line\n');
    await log.close();
    await rotateLive(home, 'server', 10);
    expect(await readFile(home.logs.server, 'utf8')).toBe('line\n');
  });

  it('returns its last lines, and an empty text when it is missing', async () => {
    expect(await tailOf(home, 'temporal')).toBe('');
    const log = await openLog(home, 'temporal');
    await log.write(Array.from({ length: 20 }, (_, index) => `line ${index.toString()}\n`).join(''));
    await log.close();
    expect(await tailOf(home, 'temporal', 2)).toBe('line 18\nline 19');
  });
});
