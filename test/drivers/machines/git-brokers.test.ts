// Git of our side for machines elsewhere, without a host in between: the runner has an owner whose git has access to
// nothing.
import { afterEach, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { RepoSpec } from '../../../contract/wire/agent.ts';
import { GitBrokers } from '../../../drivers/machines/git-brokers.ts';
import { agentConfig, PASSWORD, run, setup, withStore, WORK } from '../../runner/broker/https-setup.ts';
import type { Setup } from '../../runner/broker/https-setup.ts';
import { atEnd, callerEnv, cleanUp, git, makeFolder, openRequest } from '../../runner/fixture.ts';
import { startProcess } from '../../runner/runner-process.ts';

jest.setTimeout(120_000);

/** Of this run alone: whoever ends a machine ends all processes of this host that bear its name. */
const MACHINE = `murmur-${randomBytes(4).toString('hex')}`;

afterEach(cleanUp);

function brokersOf({ folder }: Setup): GitBrokers {
  const machines = join(folder, 'machines-of-ours');
  mkdirSync(machines);
  const brokers = new GitBrokers({ machines, env: callerEnv(join(folder, 'caller')) });
  atEnd(() => brokers[Symbol.asyncDispose]());
  return brokers;
}

/** A runner whose session has this repository. */
async function opened(brokers: GitBrokers, repo: Pick<RepoSpec, 'clone_url' | 'real'>, grants: readonly string[] = []) {
  const repos = [{ ...repo, branch: 'work' }];
  const { server, access } = await brokers.serve(MACHINE, { repos, grants });
  const runner = await startProcess({ env: callerEnv(makeFolder()) });
  const request = openRequest({ repos, allow_repos: grants, git: { ...access, server } });
  await runner.client.open(request);
  return { runner, request, server, access };
}

it('serves a runner whose own git has no access, with the author of our side, until it is told to stop', async () => {
  const each = await setup();
  withStore(each);
  const brokers = brokersOf(each);
  const { runner } = await opened(brokers, { clone_url: each.url });
  const { outcome, text } = await run(runner, 't1', WORK);
  expect(outcome).toMatchObject({ status: 'completed', pushes: [{ branch: 'work' }] });
  expect(await git(each.origin, 'log', '-1', '--format=%s %an', 'work')).toBe('work Jane');
  for (const secret of [PASSWORD, Buffer.from(`jane:${PASSWORD}`).toString('base64')]) {
    expect(`${text}${agentConfig(runner)}`).not.toContain(secret);
  }
  await brokers.drop(MACHINE);
  const later = await run(runner, 't2', 'git fetch; echo "status $?"');
  expect(later.text).toContain('status 128');
});

it('serves what a person allowed beside it', async () => {
  const each = await setup();
  withStore(each);
  const { host } = new URL(each.url);
  const { runner } = await opened(brokersOf(each), { clone_url: each.url }, [`${host}/other`]);
  const clone = `git clone -q https://${host}/other.git ../cloned && git -C ../cloned log -1 --format=cloned:%s`;
  expect((await run(runner, 't1', clone)).text).toMatch(/cloned:\w/);
});

it('serves a folder of our side, whose name may need quotes, and says when nobody answers', async () => {
  const each = await setup();
  const origin = join(each.origins, "it's 100% Ünicode.git");
  await git(each.origins, 'clone', '--quiet', '--bare', each.origin, origin);
  const brokers = brokersOf(each);
  const { runner } = await opened(brokers, { clone_url: origin, real: true });
  const { outcome } = await run(runner, 't1', WORK);
  expect(outcome).toMatchObject({ status: 'completed', pushes: [{ branch: 'work' }] });
  await brokers.drop(MACHINE);
  const later = await run(runner, 't2', 'git fetch; echo "status $?"');
  expect(later.text).toContain('the host of Murmur does not answer');
  expect(later.text).toContain('status 128');
});

it('refuses a folder that has become another repository since the spawn', async () => {
  const each = await setup();
  const repos = [{ clone_url: join(each.origins, 'gone.git'), real: true }] as const;
  await git(each.origins, 'clone', '--quiet', '--bare', each.origin, 'moved.git');
  await git(each.origins, 'clone', '--quiet', '--bare', each.origin, 'gone.git');
  const brokers = brokersOf(each);
  await expect(brokers.serve(MACHINE, { repos, grants: [] })).resolves.toBeDefined();
  await git(each.origins, '-c', 'alias.x=!rm -rf gone.git && ln -s moved.git gone.git', 'x');
  await expect(brokers.serve(MACHINE, { repos, grants: [] })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
});

it('goes on after a restart of our side, in the session and the turn that are open', async () => {
  const each = await setup();
  withStore(each);
  const first = brokersOf(each);
  const { runner, request } = await opened(first, { clone_url: each.url });
  await first[Symbol.asyncDispose]();
  const second = new GitBrokers({
    machines: join(each.folder, 'machines-of-ours'),
    env: callerEnv(join(each.folder, 'caller')),
  });
  atEnd(() => second[Symbol.asyncDispose]());
  const { server, access } = await second.serve(MACHINE, { repos: request.repos, grants: [] });
  await runner.client.open({ ...request, git: { ...access, server } });
  const { outcome } = await run(runner, 't1', WORK);
  expect(outcome).toMatchObject({ status: 'completed', pushes: [{ branch: 'work' }] });
});

it('answers nothing without the pass of a machine, also while many hold connections without one', async () => {
  const each = await setup();
  withStore(each);
  const { runner, server } = await opened(brokersOf(each), { clone_url: each.url });
  for (const line of ['http 0123456789abcdef\n', 'socket \n', 'GET / HTTP/1.1\r\n\r\n']) {
    const socket = connect(server);
    socket.end(line);
    const answer: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => answer.push(chunk)).on('error', () => undefined);
    await once(socket, 'close');
    expect(Buffer.concat(answer).toString()).toBe('');
  }
  const held = Array.from({ length: 200 }, () => connect(server).on('error', () => undefined));
  await Promise.all(held.map((socket) => once(socket, 'connect')));
  const { text } = await run(runner, 't1', 'git ls-remote origin main');
  for (const socket of held) socket.destroy();
  expect(text).toContain('refs/heads/main');
});
