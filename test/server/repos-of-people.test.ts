// Which repositories a person names and allows, and what an agent keeps that an earlier build has started.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { sealSpec } from '../../agents/sealed.ts';
import { startRootAgent } from '../../agents/start.ts';
import { createClient } from '../../client/index.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { agentSpec } from '../fixtures/agent-spec.ts';
import { agentClient, startedSpec } from './fixtures/agent-client.ts';
import { DENIED, repositoriesForFile, SHOP } from './fixtures/repositories.ts';

jest.setTimeout(60_000);

const { api, folder, home, idOf, local, nextSlug, reposOf, workspace } = repositoriesForFile();

describe('an agent that an earlier build has started', () => {
  test('has the repositories of its spec, whose paths may lead through links, and is allowed nothing more', async () => {
    const link = path.join(folder, 'as-it-was-named.git');
    symlinkSync(local, link);
    const identity = { workspace, account: 'alice', path: ['earlier'] };
    const repos = [link, SHOP].map((clone_url) => ({ clone_url, branch: 'earlier' }));
    const { taskQueue } = api.parts;
    // As the worker seals those that live at its first start.
    const spec = await sealSpec(api.parts, agentSpec({ identity, repos }));
    await startRootAgent(api.parts.temporal, taskQueue, spec);
    const token = { id: `earlier-${workspace}`, account: 'alice', agent: idOf('earlier'), created_at: '2026-01-01' };
    const earlier = createClient({ url: api.url, token: await mintToken(api.parts.tokenStore, token) });
    const spawn = (slug: string, cloneUrl: string) =>
      earlier.call('spawn', { slug, description: 'x', repos: [{ clone_url: cloneUrl }] });
    for (const [at, place] of [link, local, SHOP].entries()) await spawn(`k-${String(at)}`, place);
    expect((await startedSpec(api, idOf('earlier/k-0'))).repos).toMatchObject([{ clone_url: local, real: true }]);
    await expect(spawn('no', path.join(folder, 'private.git'))).rejects.toMatchObject(DENIED);
    await expect(spawn('no', 'https://other.example/acme/x')).rejects.toMatchObject(DENIED);
  });
});

describe('what a person allows', () => {
  test('holds for all beneath, however deep, with what is allowed further down', async () => {
    await api.client.call('spawn', {
      slug: 'bare',
      description: 'x',
      workspace,
      allow_repos: ['https://one.example/'],
    });
    const bare = await agentClient(api, idOf('bare'));
    await bare.call('spawn', { slug: 'kid', description: 'x', repos: [{ clone_url: 'https://one.example/x' }] });
    await api.client.call('spawn', {
      ...{ slug: 'bare/second', description: 'x', workspace },
      allow_repos: ['two.example'],
    });
    const second = await agentClient(api, idOf('bare/second'));
    const repos = [{ clone_url: 'https://one.example/y' }, { clone_url: 'https://two.example/z' }];
    await second.call('spawn', { slug: 'third', description: 'x', repos });
    expect(await startedSpec(api, idOf('bare/second/third'))).toMatchObject({
      allow_repos: ['https://one.example/', 'two.example'],
    });
    const first = await agentClient(api, idOf('bare/kid'));
    await expect(
      first.call('spawn', { slug: 'third', description: 'x', repos: [{ clone_url: 'https://two.example/z' }] }),
    ).rejects.toMatchObject(DENIED);
  });

  test.each(['/srv/git', 'file:///srv', 'https://token@git.example/x', 'git.example/a/../b', ''])(
    'is not %j',
    async (grant) => {
      const spawn = api.client.call('spawn', { slug: 'no', description: 'x', workspace, allow_repos: [grant] });
      const error = await spawn.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(String(error)).not.toContain('token');
    },
  );
});

describe('a person', () => {
  async function name(cloneUrl: string): Promise<readonly unknown[]> {
    const slug = nextSlug('p');
    await api.client.call('spawn', { slug, description: 'x', workspace, repos: [{ clone_url: cloneUrl }] });
    return await reposOf(slug);
  }

  test('names any repository, a local one by its real path', async () => {
    const link = path.join(folder, 'a link');
    symlinkSync(local, link);
    expect(await name('https://anywhere.example/x')).toMatchObject([{ clone_url: 'https://anywhere.example/x' }]);
    expect(await name(link)).toMatchObject([{ clone_url: local, real: true }]);
    expect(await name(`file://${link.replace(' ', '%20')}`)).toMatchObject([
      { clone_url: `file://${local}`, real: true },
    ]);
  });

  test('names a path to nothing, of which git tells when it clones', async () => {
    expect(await name(path.join(folder, 'not-yet'))).toMatchObject([{ clone_url: path.join(folder, 'not-yet') }]);
  });

  test("is refused Murmur's own folder, bundles and linked work trees, and told why", async () => {
    const bundle = path.join(folder, 'some.bundle');
    writeFileSync(bundle, '# v2 git bundle\n');
    mkdirSync(path.join(folder, 'worktree'));
    writeFileSync(path.join(folder, 'worktree/.git'), `gitdir: ${path.join(folder, 'private.git')}\n`);
    for (const [place, why] of [
      [path.join(home, 'machines/m/evil.git'), "Murmur's own folder"],
      [path.join(home, 'machines/m/nothing.git'), "Murmur's own folder"],
      [path.join(folder, 'worktree'), 'linked work tree'],
      [bundle, 'bundle'],
    ] as const) {
      await expect(name(place)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(why) as unknown,
      });
    }
  });
});
