// Which repositories an agent may name for agents of its own, through the API with its own token: its machine would
// clone them with the owner's rights.
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { agentClient, startedSpec } from './fixtures/agent-client.ts';
import { DENIED, repositoriesForFile, ROOTS, SHOP } from './fixtures/repositories.ts';

jest.setTimeout(60_000);

const { api, folder, home, idOf, kid, lead, local, nextSlug, reposOf, workspace } = repositoriesForFile();

/** Spawns an agent beneath `kid` on a repository; answers the repositories that it got. */
async function give(cloneUrl: string): Promise<readonly unknown[]> {
  const slug = nextSlug('n');
  await kid().call('spawn', { slug, description: 'x', repos: [{ clone_url: cloneUrl }] });
  return await reposOf(`lead/kid/${slug}`);
}

describe('an agent', () => {
  test.each([
    ['its own', SHOP, SHOP],
    ['its own by another spelling, as it was given', 'https://git.example:443/acme/shop', SHOP],
    ["its root's", ROOTS, ROOTS],
    ["its root's by another spelling", 'ssh://git@git.example/acme/of-the-root', ROOTS],
    ['one that a person allowed', 'https://other.example/acme/x', 'https://other.example/acme/x'],
    ['one that a person allowed, by ssh', 'git@other.example:acme/x/y.git', 'git@other.example:acme/x/y.git'],
    ["its root's on this host", local, local],
    ["its root's on this host by URL", `file://${local}`, `file://${local}`],
    ["its root's on this host by another path", `${folder}//./local`, local],
  ])('may name %s', async (_which, cloneUrl, cloned) => {
    expect(await give(cloneUrl)).toMatchObject([{ clone_url: cloned }]);
  });

  test('may name the working branch of another agent within its repository', async () => {
    const repos = [{ clone_url: SHOP, base_branch: 'murmur/default/alice/other' }];
    await expect(kid().call('spawn', { slug: 'reader', description: 'x', repos })).resolves.toBeDefined();
  });

  test.each([
    'https://git.example/corp/payroll.git',
    'https://git.example/acme/of-the-root.git',
    'https://git.example:8443/acme/shop.git',
    'http://git.example/acme/shop.git',
    'https://git.example./acme/shop.git',
    'https://git.example/acme/shop.git/../../corp/payroll',
    'https://git.example/acme/%73hop.git',
    'https://git.example/acme/Shop.git',
    'ssh://root@git.example/acme/of-the-root',
    'root@git.example:acme/of-the-root',
    'https://other.example/acme-evil/x',
    'https://other.example/acme/../x',
    'https://other.example/acme/%2e%2e/x',
    'https://other.example/acme//x',
    'https://other.example:8443/acme/x',
    'https://other.example./acme/x',
    'http://other.example/acme/x',
    'https://ot\u04bber.example/acme/x',
    'https://other.example.evil.example/acme/x',
    'ssh://root@other.example/acme/x',
    'git://other.example/acme/x',
    'file://localhost/acme/x',
  ])('may not name %s', async (cloneUrl) => {
    await expect(give(cloneUrl)).rejects.toMatchObject({
      ...DENIED,
      message: expect.stringContaining('agents may not clone') as unknown,
    });
  });

  test.each([
    'https://git.example\\@evil.example/acme/shop.git',
    'https://evil.example\\@git.example/acme/shop.git',
    'https://git.example@evil.example/acme/x',
    'https://a@b@git.example/acme/shop.git',
    'ext::sh -c id',
  ])('gets an error that %s is not a URL', async (cloneUrl) => {
    await expect(give(cloneUrl)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test("may not name the owner's other directories, with any content and in any form", async () => {
    const at = (name: string): string => path.join(folder, name);
    symlinkSync(at('private.git'), at('link.git'));
    mkdirSync(at('worktree'));
    writeFileSync(at('worktree/.git'), `gitdir: ${at('private.git')}\n`);
    writeFileSync(at('work.bundle'), '# v2 git bundle\n');
    const private_ = [
      at('private.git'),
      at('link.git'),
      at('worktree'),
      at('worktree/.git'),
      at('work'),
      at('nowhere'),
    ];
    const murmurs = path.join(home, 'machines', 'm', 'evil.git');
    for (const place of [...private_, at('work.bundle'), murmurs, `/proc/self/root${murmurs}`, `/${murmurs}`, '/']) {
      await expect(give(place)).rejects.toMatchObject(DENIED);
      await expect(give(`file://${place}`)).rejects.toMatchObject(DENIED);
    }
    await expect(give(`file://${murmurs.replace('evil', '%65vil')}`)).rejects.toMatchObject(DENIED);
  });

  test("may not name repositories in Murmur's folder, even its own", async () => {
    const evil = path.join(home, 'machines', 'm', 'evil.git');
    Object.assign(api.parts, { home: '/nowhere' });
    await api.client.call('spawn', { slug: 'old', description: 'x', workspace, repos: [{ clone_url: evil }] });
    const old = await agentClient(api, idOf('old'));
    Object.assign(api.parts, { home });
    symlinkSync(home, path.join(folder, 'other-home'));
    for (const place of [evil, `/proc/self/root/${evil}`, path.join(folder, 'other-home/machines/m/evil')]) {
      const repos = [{ clone_url: place }];
      await expect(old.call('spawn', { slug: 'kid', description: 'x', repos })).rejects.toMatchObject(DENIED);
    }
  });

  test('may not name its own repository once it was replaced', async () => {
    const moved = path.join(folder, 'moved.git');
    renameSync(local, moved);
    symlinkSync(path.join(folder, 'private.git'), local);
    try {
      await expect(give(local)).rejects.toMatchObject(DENIED);
      await expect(give(path.join(folder, 'private.git'))).rejects.toMatchObject(DENIED);
      rmSync(local);
      mkdirSync(local);
      symlinkSync(path.join(folder, 'private.git'), path.join(local, '.git'));
      await expect(give(local)).rejects.toMatchObject(DENIED);
      rmSync(path.join(local, '.git'));
      writeFileSync(path.join(local, '.git'), `gitdir: ${path.join(folder, 'private.git')}\n`);
      await expect(give(local)).rejects.toMatchObject(DENIED);
    } finally {
      rmSync(local, { recursive: true });
      renameSync(moved, local);
    }
  });

  test('gets an error with the rule, its repositories, and how a person allows more', async () => {
    await expect(give('ssh://git@evil.example/x')).rejects.toMatchObject({
      message:
        'agents may not clone "ssh://git@evil.example/x"; allowed are this agent\'s own repositories, its root\'s, and what ' +
        'a person allowed with --allow-repo',
      hint: expect.stringMatching(`${SHOP}.*--allow-repo`) as unknown,
      details: { field: 'repos[0].clone_url' },
    });
  });

  test('cannot allow repositories itself', async () => {
    const allow = { allow_repos: ['evil.example/x'] };
    await expect(kid().call('spawn', { slug: 'a', description: 'x', ...allow })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      details: { field: 'allow_repos' },
    });
    await expect(
      kid().call('each', { slug: 'a-{}', description: 'x {}', items: ['1'], ...allow }),
    ).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  test("with owner's rights may name no more than others", async () => {
    await api.client.call('spawn', { slug: 'director', description: 'x', workspace, rights: 'owner' });
    const director = await agentClient(api, idOf('director'));
    const slug = `/w/${workspace}/u/alice/lead/helper`;
    await expect(
      director.call('spawn', { slug, description: 'x', repos: [{ clone_url: SHOP }] }),
    ).rejects.toMatchObject(DENIED);
  });

  test('may fan out only on repositories that it may name', async () => {
    const each = (cloneUrl: string, more: object) =>
      kid().call('each', {
        ...{ slug: 'e-{}', description: 'x {}', items: ['../../corp/payroll', '2'], repos: [{ clone_url: cloneUrl }] },
        ...more,
      });
    for (const more of [{}, { dry_run: true }]) {
      for (const url of [
        'https://git.example/corp/payroll.git',
        'https://other.example/{}',
        'https://other.example/acme/../{}',
      ]) {
        await expect(each(url, more)).rejects.toMatchObject(DENIED);
      }
    }
    await each('https://other.example/acme/x', {});
    const [key = ''] = await api.parts.objects.list('fanouts/');
    const plan = JSON.parse(String(await api.parts.objects.get(key))) as FanoutPlan;
    expect(plan.shared).toMatchObject({
      repos: [{ clone_url: 'https://other.example/acme/x' }],
      allow_repos: ['other.example/acme'],
    });
  });

  test('may pilot a flight only on repositories that it may name', async () => {
    const fly = (slug: string, cloneUrl: string, agents: string) =>
      lead().call('spawn', {
        ...{ slug, description: '', flight: 'f.md', flight_source: `# F\n\nFly.\n${agents}` },
        repos: [{ clone_url: cloneUrl }],
      });
    for (const agents of ['', '\n## one\n\nDo it.\n']) {
      await expect(fly('f-1', 'https://git.example/corp/payroll.git', agents)).rejects.toMatchObject(DENIED);
    }
    await fly('f-2', SHOP, '');
    expect(await startedSpec(api, idOf('lead/f-2'))).toMatchObject({
      repos: [{ clone_url: SHOP }],
      allow_repos: ['other.example/acme'],
    });
  });
});
