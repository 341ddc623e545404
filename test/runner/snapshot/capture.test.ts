import { afterEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  linkSync,
  lstatSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { captureRepository } from '../../../runner/snapshot/repository.ts';
import { Room } from '../../../runner/snapshot/room.ts';
import {
  bash,
  callerEnv,
  cleanUp,
  git,
  groupContainment,
  makeFolder,
  makeOrigin,
  openRequest,
  runTurn,
  script,
  startRunner,
} from '../fixture.ts';
import { DIRTY, workAndCapture } from './fixture.ts';

afterEach(cleanUp);

describe('capturing', () => {
  it('bundles no objects that origin has', async () => {
    const { manifest, reply } = await workAndCapture('echo > f; git add f; git commit -qm 1; git push -q origin HEAD');
    expect(manifest.repos[0]).toMatchObject({ branch: 'refs/heads/work', index: '', work: '' });
    expect(manifest.repos[0]).not.toHaveProperty('bundle');
    expect(reply.files.filter((file) => file.endsWith('.bundle'))).toEqual([]);
  });

  it('leaves nothing in the repository', async () => {
    const { cwd } = await workAndCapture(DIRTY.join('; '));
    expect(await git(cwd, 'for-each-ref', 'refs/murmur')).toBe('');
    expect(readdirSync(path.join(cwd, '.git')).filter((name) => name.startsWith('murmur'))).toEqual([]);
  });

  it('lists exactly its files, which only the owner can read', async () => {
    const { reply } = await workAndCapture(DIRTY.join('; '));
    const found = readdirSync(reply.directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(reply.directory, path.join(entry.parentPath, entry.name)));
    expect([...reply.files].sort()).toEqual(found.sort());
    for (const file of found) expect(lstatSync(path.join(reply.directory, file)).mode & 0o077).toBe(0);
  });

  it('is rejected while a turn runs, and waits for an interrupted one', async () => {
    const runner = await startRunner();
    await runner.client.open(openRequest());
    await runner.client.turn({ turn_id: 't1', number: 1, prompt: script({ hang: true }), inputs: [] });
    await expect(runner.client.snapshot()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await runner.client.interrupt({ turn_id: 't1' });
    expect((await runner.client.snapshot()).directory).toContain('t1');
  });

  it('keeps the two newest captures, and does not change the older of them', async () => {
    const { runner, reply } = await workAndCapture('true');
    const before = execFileSync('tar', ['-cf', '-', '-C', reply.directory, '.']);
    await runTurn(runner, 't2', bash('echo > more'));
    await runner.client.snapshot();
    expect(execFileSync('tar', ['-cf', '-', '-C', reply.directory, '.']).equals(before)).toBe(true);
    await runTurn(runner, 't3', bash('true'));
    const third = await runner.client.snapshot();
    expect(readdirSync(path.dirname(third.directory)).sort()).toEqual(['t2', 't3']);
  });

  it('removes secrets from the conversation', async () => {
    const runner = await startRunner();
    const env = { API_TOKEN: 'tok-0123456789' };
    await runner.client.open(openRequest({ env, secret_names: ['API_TOKEN'] }));
    await runTurn(runner, 't1', bash('echo "$API_TOKEN"'));
    const { directory, files } = await runner.client.snapshot();
    const transcripts = files.filter((file) => file.startsWith('home/'));
    expect(transcripts.length).toBeGreaterThan(0);
    for (const file of transcripts) {
      const text = readFileSync(path.join(directory, file), 'utf8');
      expect(text).toContain('[secret API_TOKEN]');
      expect(text).not.toContain('tok-0123456789');
      for (const line of text.trimEnd().split('\n')) JSON.parse(line);
    }
  });

  it.each([
    ['link', (file: string, target: string) => symlinkSync(target, file)],
    [
      'folder that is a link',
      (file: string, target: string) => {
        const folder = path.dirname(file);
        rmSync(folder, { recursive: true });
        symlinkSync(path.dirname(target), folder);
        linkSync(target, path.join(path.dirname(target), path.basename(file)));
      },
    ],
  ])('does not follow a %s with which the agent replaced its transcript', async (_, replace) => {
    const folder = makeFolder();
    const runner = await startRunner({ folder });
    await runner.client.open(openRequest());
    await runTurn(runner, 't1', bash('true'));
    const { files } = await runner.client.snapshot();
    const transcript = path.join(runner.paths.home, files.find((file) => file.startsWith('home/'))?.slice(5) ?? '');
    const target = path.join(folder, 'outside-of-home');
    writeFileSync(target, 'the caller’s own');
    rmSync(transcript);
    replace(transcript, target);
    const second = await runner.client.snapshot();
    expect(second.files).toEqual(['manifest.json']);
    expect(existsSync(target)).toBe(true);
  });

  const MIB = 1_048_576;
  it.each([
    ['a file of the conversation that is mostly holes', (file: string) => truncateSync(file, 600 * MIB)],
    ['a conversation larger than the disk may hold', (file: string) => appendFileSync(file, noise(20))],
  ])('%s is not captured: only the previous capture stays, and the journal has the reason', async (_, grow) => {
    const folder = makeFolder();
    // A check of the limit would end the processes of the capture.
    const runner = await startRunner({ folder, diskMb: 16, diskLookMs: 3_600_000 });
    const repos = [{ clone_url: await makeOrigin(folder), branch: 'work' }];
    await runner.client.open(openRequest({ repos }));
    await runTurn(runner, 't1', bash('true'));
    const first = await runner.client.snapshot();
    await runTurn(runner, 't2', bash('true'));
    const name = first.files.find((file) => file.startsWith('home/')) ?? '';
    const transcript = path.join(runner.paths.home, name.slice('home/'.length));
    const before = readFileSync(transcript);
    grow(transcript);
    await expect(runner.client.snapshot()).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringMatching(/^no snapshot: /),
    });
    expect(readdirSync(runner.paths.snapshots)).toEqual(['t1']);
    expect(readFileSync(runner.paths.journal, 'utf8')).toContain('"code":"snapshot","message":"no snapshot: ');
    writeFileSync(transcript, before);
    expect((await runner.client.snapshot()).files).toEqual(first.files);
  });

  it('work that exceeds the room is not bundled, and leaves nothing in the repository', async () => {
    const { cwd, origin, folder } = await workAndCapture('true');
    writeFileSync(path.join(cwd, 'data'), noise(4));
    const context = { containment: groupContainment(), env: callerEnv(folder), room: new Room('the snapshot', MIB) };
    await expect(
      captureRepository(
        { directory: cwd, repo: origin, spec: { clone_url: origin, branch: 'work' } },
        folder,
        'repo-0',
        context,
      ),
    ).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: 'no snapshot: the snapshot would hold more than 1 MiB',
    });
    expect(await git(cwd, 'for-each-ref', 'refs/murmur')).toBe('');
  });
});

/** This many MiB of incompressible data. */
function noise(mib: number): Buffer {
  return randomBytes(mib * 1_048_576);
}
