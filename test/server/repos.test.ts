// Which repositories an agent may name for its children, through the API with its own token: their machines clone them
// with the owner's rights.
import { randomUUID } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import type { MurmurClient } from '../../client/index.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { sealSpec } from '../../agents/sealed.ts';
import { startRootAgent } from '../../agents/start.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { agentSpec } from '../fixtures/agent-spec.ts';
import { stubActivities } from '../fixtures/stub-activities.ts';
import { startWorker } from '../fixtures/temporal.ts';
import { sharedTemporalForFile } from '../fixtures/temporal-for-file.ts';
import { agentClient, startedSpec } from './fixtures/agent-client.ts';
import { startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';

jest.setTimeout(60_000);

const SHOP = 'https://git.example/acme/shop.git';
const ROOTS = 'git@git.example:acme/of-the-root.git';
const temporal = sharedTemporalForFile();
const workspace = `repos-${randomUUID().slice(0, 8)}`;
const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'murmur-repos-')));
const home = path.join(folder, 'home');
const local = path.join(folder, 'local.git');

let api: Api;
let lead: MurmurClient;
/** A child of an agent with two repositories: it has one of them. */
let kid: MurmurClient;

beforeAll(async () => {
  for (const repository of [local, path.join(folder, 'private.git'), path.join(home, 'machines', 'm', 'evil.git')]) {
    execFileSync('git', ['init', '-q', '--bare', repository]);
  }
  const taskQueue = `repos-${randomUUID()}`;
  const worker = await startWorker(temporal, taskQueue, stubActivities().activities);
  temporal.beforeStop(() => worker.stop());
  api = await startApi({ temporal: temporal.address, timing: { query: 15_000, update: 30_000 } });
  temporal.beforeStop(async () => await api[Symbol.asyncDispose]());
  Object.assign(api.parts, { taskQueue, home });
  const repos = [{ clone_url: ROOTS }, { clone_url: SHOP }, { clone_url: local }];
  await api.client.call('spawn', {
    ...{ slug: 'lead', description: 'x', workspace, repos },
    allow_repos: ['other.example/acme'],
  });
  lead = await agentClient(api, idOf('lead'));
  await lead.call('spawn', { slug: 'kid', description: 'x', repos: [{ clone_url: SHOP }] });
  kid = await agentClient(api, idOf('lead/kid'));
}, 300_000);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function idOf(agent: string): string {
  return `w/${workspace}/u/alice/${agent}`;
}

let count = 0;
/** Spawns an agent below `kid` on a repository. Returns the repositories of its spec. */
async function give(cloneUrl: string): Promise<readonly unknown[]> {
  const slug = `n-${String((count += 1))}`;
  await kid.call('spawn', { slug, description: 'x', repos: [{ clone_url: cloneUrl }] });
  return (await startedSpec(api, idOf(`lead/kid/${slug}`))).repos;
}

const DENIED = { code: 'PERMISSION_DENIED', hint: expect.stringContaining('--allow-repo') as unknown };

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
    await expect(kid.call('spawn', { slug: 'reader', description: 'x', repos })).resolves.toBeDefined();
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
    await expect(kid.call('spawn', { slug: 'a', description: 'x', ...allow })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      details: { field: 'allow_repos' },
    });
    await expect(kid.call('each', { slug: 'a-{}', description: 'x {}', items: ['1'], ...allow })).rejects.toMatchObject(
      { code: 'PERMISSION_DENIED' },
    );
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
      kid.call('each', {
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
      lead.call('spawn', {
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

describe('an agent that an earlier build has started', () => {
  test('has the repositories of its spec, whose paths may contain links, and no others', async () => {
    const link = path.join(folder, 'as-it-was-named.git');
    symlinkSync(local, link);
    const identity = { workspace, account: 'alice', path: ['earlier'] };
    const repos = [link, SHOP].map((clone_url) => ({ clone_url, branch: 'earlier' }));
    const { taskQueue } = api.parts;
    // As the worker seals living agents at its first start.
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
  test('applies to all descendants, together with what is allowed further down', async () => {
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
    const slug = `p-${String((count += 1))}`;
    await api.client.call('spawn', { slug, description: 'x', workspace, repos: [{ clone_url: cloneUrl }] });
    return (await startedSpec(api, idOf(slug))).repos;
  }

  test('may name any repository; a local one is stored with its real path', async () => {
    const link = path.join(folder, 'a link');
    symlinkSync(local, link);
    expect(await name('https://anywhere.example/x')).toMatchObject([{ clone_url: 'https://anywhere.example/x' }]);
    expect(await name(link)).toMatchObject([{ clone_url: local, real: true }]);
    expect(await name(`file://${link.replace(' ', '%20')}`)).toMatchObject([
      { clone_url: `file://${local}`, real: true },
    ]);
  });

  test('may name a missing path, which git reports when it clones', async () => {
    expect(await name(path.join(folder, 'not-yet'))).toMatchObject([{ clone_url: path.join(folder, 'not-yet') }]);
  });

  test("may not name Murmur's own folder, bundles and linked work trees, with the reason", async () => {
    const bundle = path.join(folder, 'some.bundle');
    writeFileSync(bundle, '# v2 git bundle\n');
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
