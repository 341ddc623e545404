// Repositories on the owner's disk: programs of their configuration and hooks never run as the owner.
import { afterEach, describe, expect, it } from '@jest/globals';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BrokerAccess } from '../../../runner/broker/access.ts';
import { localCommand } from '../../../runner/broker/local.ts';
import { bash, callerEnv, cleanUp, eventsUpTo, git, makeFolder, makeOrigin, openRequest, runTurn } from '../fixture.ts';
import { startProcess } from '../runner-process.ts';

afterEach(cleanUp);

const PUSH = 'echo "$RANDOM" > file && git add -A && git commit -qm work && git push -q origin HEAD; echo "status $?"';

/** A repository in which every configured program writes to `ran`. */
async function trapped(folder: string): Promise<{ origin: string; ran: string }> {
  const origins = path.join(folder, 'origins');
  mkdirSync(origins);
  const origin = await makeOrigin(origins);
  const ran = path.join(folder, 'ran');
  const program = path.join(folder, 'program');
  writeFileSync(program, `#!/bin/sh\necho "$0 $*" >> '${ran}'\ncat > /dev/null\n`);
  chmodSync(program, 0o755);
  const hooks = path.join(origin, 'hooks');
  mkdirSync(hooks, { recursive: true });
  const names = ['pre-receive', 'update', 'post-receive', 'post-update', 'reference-transaction', 'push-to-checkout'];
  for (const name of names) symlinkSync(program, path.join(hooks, name));
  // An alternate, so that git runs the command for its tips.
  await git(origins, 'init', '--quiet', '--bare', 'alternate.git');
  writeFileSync(
    path.join(origin, 'objects', 'info', 'alternates'),
    `${path.join(origins, 'alternate.git', 'objects')}\n`,
  );
  for (const [key, value] of [
    ['core.hooksPath', hooks],
    ['core.alternateRefsCommand', program],
    ['core.fsmonitor', program],
    ['core.sshCommand', program],
    ['gc.auto', '1'],
    ['gc.recentObjectsHook', program],
    ['hook.mine.command', program],
    ['hook.mine.event', 'pre-receive'],
    ['hook.mine.event', 'reference-transaction'],
    ['uploadpack.packObjectsHook', program],
    ['gpg.program', program],
  ] as const) {
    await git(origin, 'config', '--add', key, value);
  }
  return { origin, ran };
}

describe('a repository on disk', () => {
  it('is pushed to and fetched from without running its hooks or programs of its configuration', async () => {
    const folder = makeFolder();
    const { origin, ran } = await trapped(folder);
    const home = path.join(folder, 'caller');
    mkdirSync(home);
    writeFileSync(path.join(home, '.gitconfig'), '[safe]\n\tdirectory = *\n');
    const runner = await startProcess({ folder, env: callerEnv(home) });
    await runner.client.open(openRequest({ repos: [{ clone_url: origin, branch: 'work' }] }));
    const { end_seq, outcome } = await runTurn(
      runner,
      't1',
      bash(`${PUSH}; git fetch -q; git ls-remote -q origin work`),
    );
    expect(outcome.branches).toEqual([expect.objectContaining({ branch: 'work', pushed: true })]);
    expect(await git(origin, 'log', '-1', '--format=%s', 'work')).toBe('work');
    expect(JSON.stringify(await eventsUpTo(runner.client, end_seq))).toContain('status 0');
    expect(existsSync(ran) ? readFileSync(ran, 'utf8') : '').toBe('');
  }, 120_000);

  it('does not get its work tree updated, because that would run filters of its configuration', async () => {
    const folder = makeFolder();
    const work = path.join(folder, 'project');
    const ran = path.join(folder, 'ran');
    await git(folder, 'init', '--quiet', '--initial-branch=main', 'project');
    await git(work, 'config', 'receive.denyCurrentBranch', 'updateInstead');
    await git(work, 'config', 'filter.x.smudge', `touch '${ran}'`);
    writeFileSync(path.join(work, '.gitattributes'), '* filter=x\n');
    await git(work, 'add', '-A');
    await git(work, '-c', 'user.name=T', '-c', 'user.email=t@example.com', 'commit', '--quiet', '-m', 'first');
    const runner = await startProcess({ folder });
    await runner.client.open(openRequest({ repos: [{ clone_url: work, branch: 'main' }] }));
    const { end_seq } = await runTurn(runner, 't1', bash(`${PUSH}; git push -q origin HEAD:other; echo "second $?"`));
    const events = JSON.stringify(await eventsUpTo(runner.client, end_seq));
    expect(events).toContain('refusing to update checked out branch');
    expect(events).toContain('second 0');
    expect(existsSync(ran)).toBe(false);
  }, 120_000);
});

describe('git on the owner’s disk', () => {
  /** A runner's folder and a bare repository, which the broker serves. */
  async function served(place: (folder: string) => string = (folder) => path.join(folder, 'r.git')) {
    const folder = makeFolder();
    const runner = path.join(folder, 'machines', 'murmur-1', 'runner');
    mkdirSync(runner, { recursive: true });
    const repository = place(folder);
    mkdirSync(path.dirname(repository), { recursive: true });
    await git(folder, 'init', '--quiet', '--bare', repository);
    const access = new BrokerAccess();
    access.serve([repository, path.join(folder, 'link')], [], []);
    const ask = (service: string, args: readonly string[], user?: { uid: number }) =>
      localCommand({ service, args }, access, { runner, env: { PATH: process.env['PATH'] }, user });
    return { folder, repository, ask };
  }

  it('serves the repository with a separate configuration', async () => {
    const { repository, ask } = await served();
    const command = await ask('git-receive-pack', [repository]);
    expect(command).toMatchObject({ args: expect.arrayContaining(['core.hooksPath=/dev/null', 'receive-pack']) });
    expect(command).toMatchObject({ env: { GIT_CONFIG_NOSYSTEM: '1', GIT_ALLOW_PROTOCOL: 'none' } });
  });

  it.each([
    ['another path', 'git-receive-pack', (repository: string) => [`${repository}/../other.git`]],
    ['an option', 'git-receive-pack', () => ['--help']],
    ['another program', 'git-shell', (repository: string) => [repository]],
    ['an archive, which runs filters of the configuration', 'git-upload-archive', (repository: string) => [repository]],
    ['more words', 'git-upload-pack', (repository: string) => [repository, '--x']],
  ])('is rejected for %s', async (_, service, args) => {
    const { repository, ask } = await served();
    expect(await ask(service, args(repository))).toHaveProperty('refused');
  });

  it('is rejected for repositories in the folders of a machine, also behind a link or a gitfile', async () => {
    const inside = (folder: string) => path.join(folder, 'machines', 'murmur-2', 'home', 'evil.git');
    const { folder, repository, ask } = await served(inside);
    const link = path.join(folder, 'link');
    expect(await ask('git-upload-pack', [repository])).toHaveProperty('refused');
    symlinkSync(repository, link);
    expect(await ask('git-upload-pack', [link])).toMatchObject({ refused: expect.stringContaining('of an agent') });
    const other = await served();
    const gitfile = path.join(other.folder, 'link');
    mkdirSync(gitfile);
    mkdirSync(inside(other.folder), { recursive: true });
    writeFileSync(path.join(inside(other.folder), 'HEAD'), 'ref: refs/heads/main\n');
    writeFileSync(path.join(gitfile, '.git'), `gitdir: ${inside(other.folder)}\n`);
    expect(await other.ask('git-upload-pack', [gitfile])).toHaveProperty('refused');
  });

  (process.getuid?.() === 0 ? it : it.skip)('is refused for what the agent owns or everybody can write', async () => {
    const { repository, ask } = await served();
    const user = { uid: 1_909_000_001 };
    expect(await ask('git-upload-pack', [repository], user)).toHaveProperty('args');
    chmodSync(repository, 0o777);
    expect(await ask('git-upload-pack', [repository], user)).toHaveProperty('refused');
    chmodSync(repository, 0o755);
    chownSync(repository, user.uid, user.uid);
    expect(await ask('git-upload-pack', [repository], user)).toHaveProperty('refused');
  });
});
