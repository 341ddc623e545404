// The transcript of a session on disk, as a killed program may leave it.
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { prepareTranscript, sessionFiles } from '../../../../runner/backends/claude/transcript.ts';

const ID = '6f0c0b0e-0000-4000-8000-000000000000';
const queued = '{"type":"queue-operation","operation":"enqueue","content":"{\\"type\\":\\"user\\"}"}\n';
const asked = '{"parentUuid":null,"type":"user","message":{"role":"user","content":"hi"}}\n';

describe('a transcript', () => {
  let home: string;
  let folder: string;
  let file: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'murmur-transcript-'));
    folder = join(home, '.claude', 'projects', '-work');
    file = join(folder, `${ID}.jsonl`);
    await mkdir(folder, { recursive: true });
  });
  afterEach(async () => await rm(home, { recursive: true, force: true }));

  it('that is missing cannot be resumed', async () => {
    expect(await prepareTranscript(home, ID)).toBe(false);
    expect(await prepareTranscript(join(home, 'nowhere'), ID)).toBe(false);
  });

  it('that is complete is resumed and not changed', async () => {
    await writeFile(file, queued + asked);
    expect(await prepareTranscript(home, ID)).toBe(true);
    expect(await readFile(file, 'utf8')).toBe(queued + asked);
  });

  it.each([
    ['in a text', '{"type":"assistant","message":{"content":"half'],
    ['in a character', Buffer.from('{"type":"assistant","text":"\u00e4').subarray(0, -1)],
  ])('with a last line cut %s loses only that line', async (_where, torn) => {
    await writeFile(file, Buffer.concat([Buffer.from(queued + asked), Buffer.from(torn)]));
    expect(await prepareTranscript(home, ID)).toBe(true);
    expect(await readFile(file, 'utf8')).toBe(queued + asked);
  });

  it('that only lacks its last newline gets one', async () => {
    await writeFile(file, queued + asked.trimEnd());
    expect(await prepareTranscript(home, ID)).toBe(true);
    expect(await readFile(file, 'utf8')).toBe(queued + asked);
  });

  it.each([
    ['is empty', ''],
    ['holds no message', queued],
    ['is one torn line', '{"type":"user","mess'],
  ])('that %s is moved away, so that a session of its id can start', async (_what, content) => {
    await writeFile(file, content);
    expect(await prepareTranscript(home, ID)).toBe(false);
    expect(await sessionFiles(home, ID)).toEqual([]);
  });

  it('is listed with the files that it refers to, without other sessions', async () => {
    const result = join(folder, ID, 'tool-results', 'a.txt');
    await mkdir(join(folder, ID, 'tool-results'), { recursive: true });
    await writeFile(file, asked);
    await writeFile(result, 'output');
    await writeFile(join(folder, 'other.jsonl'), asked);
    expect(await sessionFiles(home, ID)).toEqual([file, result].sort());
  });

  it('that the agent replaced by a link is neither followed nor listed', async () => {
    const precious = join(home, 'precious');
    await writeFile(precious, `${asked}torn`);
    await symlink(precious, file);
    expect(await prepareTranscript(home, ID)).toBe(false);
    expect(await sessionFiles(home, ID)).toEqual([]);
    expect(await readFile(precious, 'utf8')).toBe(`${asked}torn`);
  });

  it('behind a folder that the agent replaced by a link is not used', async () => {
    const outside = join(home, 'outside');
    await rename(join(home, '.claude', 'projects'), outside);
    await symlink(outside, join(home, '.claude', 'projects'));
    await writeFile(join(outside, '-work', `${ID}.jsonl`), 'torn');
    expect(await prepareTranscript(home, ID)).toBe(false);
    expect(await readdir(join(outside, '-work'))).toEqual([`${ID}.jsonl`]);
    expect(await readFile(join(outside, '-work', `${ID}.jsonl`), 'utf8')).toBe('torn');
  });
});
