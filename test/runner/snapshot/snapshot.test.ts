import { afterEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type { SnapshotReply } from '../../../contract/wire/runner.ts';
import type { Manifest } from '../../../runner/snapshot/manifest.ts';
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
import type { TestRunner } from '../fixture.ts';

afterEach(cleanUp);

/** Everything that a restore promises: refs, HEAD, index, files with modes, and the output of status. */
async function stateOf(cwd: string): Promise<object> {
  const files = readdirSync(cwd, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !`${entry.parentPath}/`.startsWith(`${cwd}/.git/`))
    .map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      const content = entry.isSymbolicLink() ? readlinkSync(file) : readFileSync(file, 'base64');
      return [path.relative(cwd, file), (lstatSync(file).mode & 0o111) !== 0, content];
    })
    .sort();
  return {
    files,
    refs: await git(cwd, 'for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads', 'refs/tags', 'refs/stash'),
    head: await git(cwd, 'symbolic-ref', 'HEAD').catch(() => 'detached'),
    commit: await git(cwd, 'rev-parse', 'HEAD').catch(() => 'none'),
    index: await git(cwd, 'ls-files', '-s'),
    status: await git(cwd, 'status', '--porcelain=v2', '--branch', '--untracked-files=all'),
  };
}

interface Worked {
  readonly origin: string;
  readonly folder: string;
  readonly runner: TestRunner;
  readonly cwd: string;
  readonly reply: SnapshotReply;
  readonly manifest: Manifest;
}

const SESSION = '3b241101-e2bb-4255-8caf-4136c566a962';

/** Runs a command as a turn on a fresh repository and captures. */
async function workAndCapture(command: string, makeRepository = makeOrigin): Promise<Worked> {
  const folder = makeFolder();
  const origin = await makeRepository(folder);
  const runner = await startRunner({ folder });
  const request = openRequest({ session_id: SESSION, repos: [{ clone_url: origin, branch: 'work' }] });
  const { cwd } = await runner.client.open(request);
  await runTurn(runner, 't1', bash(`set -e; ${command}`));
  const reply = await runner.client.snapshot();
  const manifest = JSON.parse(readFileSync(path.join(reply.directory, 'manifest.json'), 'utf8')) as Manifest;
  return { folder, origin, runner, cwd, reply, manifest };
}

/** Removes the machine and restores it at the same path. Returns the state before and after. */
async function loseAndRestore({ folder, origin, runner, cwd, reply }: Worked) {
  const before = await stateOf(cwd);
  const kept = path.join(folder, 'kept');
  cpSync(reply.directory, kept, { recursive: true });
  await runner.served.stop();
  for (const each of ['runner', 'home', 'work', 'run']) rmSync(path.join(folder, each), { recursive: true });
  const again = await startRunner({ folder });
  const repos = [{ clone_url: origin, branch: 'work' }];
  const opened = await again.client.open(openRequest({ session_id: SESSION, repos, restore: kept }));
  return { before, after: await stateOf(cwd), opened, again };
}

const DIRTY = [
  'mkdir -p "d i r/é"; echo 1 > "d i r/é/new"; printf "\\000\\377" > binary; ln -s README.md link',
  'echo changed >> README.md; git add README.md; echo again >> README.md',
  'echo tool > tool; chmod +x tool; git add tool; rm .gitignore',
];

describe('a snapshot that is restored', () => {
  it.each([
    ['a clean checkout', 'true'],
    ['commits that were not pushed', 'git commit -q --allow-empty -m 1; echo > f; git add f; git commit -qm 2'],
    ['staged, changed, deleted, untracked, executable and linked files', DIRTY.join('; ')],
    ['both', `git commit -q --allow-empty -m 1; ${DIRTY.join('; ')}`],
    ['commits that were pushed', 'echo > f; git add f; git commit -qm 1; git push -q origin HEAD; echo > g'],
    [
      'other branches, tags and a stash',
      'echo > f; git add f; git stash -q; git branch side; git switch -qc a/b; git commit -q --allow-empty -m x; git tag -a -m t v1',
    ],
    [
      'a detached HEAD',
      'git commit -q --allow-empty -m 1; git switch -q --detach; git commit -q --allow-empty -m 2; echo > f',
    ],
    [
      'a merge with conflicts',
      'git switch -qc other; echo a > README.md; git commit -qam a; git switch -q work; echo b > README.md; git commit -qam b; git merge -q other || true',
    ],
    ['a branch without a parent', 'git switch -q --orphan root; echo > f; git add f; git commit -qm root; echo > g'],
    ['a removed default branch', 'git branch -D main'],
    ['a deleted work tree', 'git rm -rq .'],
  ])(
    'restores %s',
    async (_, command) => {
      const worked = await workAndCapture(command);
      const { before, after, opened } = await loseAndRestore(worked);
      expect(after).toEqual(before);
      expect(opened).toMatchObject({ cwd: worked.cwd, resumed: true });
    },
    60_000,
  );

  it('restores work on an origin without commits', async () => {
    const makeEmpty = async (folder: string): Promise<string> => {
      await git(folder, 'init', '-q', '--bare', 'project.git');
      return path.join(folder, 'project.git');
    };
    const worked = await workAndCapture('echo 1 > f; git add f; echo 2 > g', makeEmpty);
    const { before, after } = await loseAndRestore(worked);
    expect(after).toEqual(before);
  });

  it('continues the conversation, and the numbers of the old journal', async () => {
    const worked = await workAndCapture('true');
    const { again } = await loseAndRestore(worked);
    const { end_seq } = await runTurn(again, 't2', bash('true'));
    expect(end_seq).toBeGreaterThan(worked.reply.seq);
    for await (const batch of again.client.events(0, AbortSignal.timeout(30_000))) {
      expect(batch[0]?.seq).toBe(worked.reply.seq + 1);
      expect(batch.find(({ event }) => event.type === 'session_start')?.event ?? { resumed: true }).toMatchObject({
        resumed: true,
      });
      break;
    }
  });

  it('is rejected with a reason when origin no longer has its base commits', async () => {
    const worked = await workAndCapture('git commit -q --allow-empty -m mine');
    const other = path.join(worked.folder, 'other');
    await git(worked.folder, 'init', '-q', '-b', 'main', other);
    await git(other, 'commit', '-q', '--allow-empty', '-m', 'all new');
    rmSync(worked.origin, { recursive: true });
    await git(worked.folder, 'clone', '-q', '--bare', other, worked.origin);
    await expect(loseAndRestore(worked)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('no longer has the commits'),
    });
  });
});

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
    const runner = await startRunner({ folder, diskMb: 16 });
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
