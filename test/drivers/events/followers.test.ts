import { describe, expect, it } from '@jest/globals';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { agentFolder, LOG_FILE } from '../../../drivers/events/agent-folder.ts';
import { AGENT, followed, notes } from '../../../drivers/events/conformance-fixture.ts';
import { createFileEventLog } from '../../../drivers/events/file.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const TIMEOUT = 60_000;

describe('followers of a log file', () => {
  (process.platform === 'linux' ? it : it.skip)(
    'opens a log once for a hundred followers, and reads each new entry once',
    async () => {
      await using folder = await temporaryFolder();
      await using log = createFileEventLog(folder.path);
      await log.append(AGENT, 'runner', notes(1, 3));
      const abort = new AbortController();
      const followers = Array.from({ length: 100 }, () => log.follow(AGENT, 0, abort.signal)[Symbol.asyncIterator]());
      const all = async (): Promise<readonly number[]> =>
        (await Promise.all(followers.map((each) => each.next()))).map(({ value }) => value?.id ?? 0);
      for (const id of [1, 2, 3]) expect(new Set(await all())).toEqual(new Set([id]));
      const before = await bytesRead();
      const next = all();
      const text = 'x'.repeat(100_000);
      await log.append(AGENT, 'runner', notes(4, 4, text));
      expect(new Set(await next)).toEqual(new Set([4]));
      // The appender reads its line once, and all followers together read it once, in chunks.
      expect((await bytesRead()) - before).toBeLessThan(10 * text.length);
      expect(await openDescriptors(join(agentFolder(folder.path, AGENT), LOG_FILE))).toBe(1);
      abort.abort();
      await Promise.all(followers.map((each) => each.next()));
      expect(await openDescriptors(join(agentFolder(folder.path, AGENT), LOG_FILE))).toBe(0);
    },
    TIMEOUT,
  );

  it('a slow follower reads entries that are no longer in memory', async () => {
    await using folder = await temporaryFolder();
    await using log = createFileEventLog(folder.path);
    await log.append(AGENT, 'runner', notes(1, 1));
    const slow = log.follow(AGENT, 0, new AbortController().signal)[Symbol.asyncIterator]();
    expect((await slow.next()).value).toMatchObject({ id: 1 });
    const quick = followed(log, AGENT, 0, 3_000);
    for (let seq = 2; seq <= 3_000; seq += 500) {
      await log.append(AGENT, 'runner', notes(seq, Math.min(seq + 499, 3_000), 'x'.repeat(2_000)));
    }
    expect((await quick).map(({ id }) => id)).toEqual(notes(1, 3_000).map(({ seq }) => seq));
    for (let id = 2; id <= 3_000; id += 1) expect((await slow.next()).value).toMatchObject({ id });
    await slow.return?.();
  });
});

/** The number of this process's open descriptors of the file. */
async function openDescriptors(file: string): Promise<number> {
  const names = await readdir('/proc/self/fd');
  const paths = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return paths.filter((path) => path === file).length;
}

/** Bytes that this process has read so far, in total. */
async function bytesRead(): Promise<number> {
  return Number(/rchar: (\d+)/.exec(await readFile('/proc/self/io', 'utf8'))?.[1]);
}
