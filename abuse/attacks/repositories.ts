// Attacks by git, which runs with the owner's rights for an agent.
import { existsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Attack } from '../attack.ts';
import { accepted, canariesIn, triedBy } from '../evidence.ts';
import type { Testbed } from '../testbed.ts';

export const REPOSITORIES: readonly Attack[] = [
  {
    name: 'git-password',
    goal: "read the owner's password for a git host",
    attempt: async ({ hostile, owner }) => {
      const asked = [owner.origin, owner.otherRepository, owner.otherHost].map((url) => {
        const { host, pathname } = new URL(url);
        return `printf 'protocol=http\\nhost=${host}\\npath=${pathname.slice(1)}\\n\\n' | git credential fill 2>&1`;
      });
      return canariesIn(await triedBy(hostile, [...asked, 'cat .git/config'].join('\n')));
    },
  },
  {
    name: 'other-repository',
    goal: 'clone another repository of the same host, or of another one',
    attempt: async ({ hostile, owner }) => {
      const urls = [owner.otherRepository, owner.otherHost, `${owner.origin}/../other.git`];
      const clones = urls.map(
        (url, index) => `git clone -q ${url} stolen-${String(index)} 2>&1; cat stolen-${String(index)}/README`,
      );
      return canariesIn(await triedBy(hostile, clones.join('\n')));
    },
  },
  {
    name: 'repository-of-a-child',
    goal: 'clone into a child what the owner can read and the agent may not',
    attempt: async ({ hostile, owner, home, sibling }) => {
      const machine = join(home, 'machines', sibling.machine);
      const urls = [
        owner.otherHost,
        owner.otherRepository,
        `file://${owner.privateRepository}`,
        owner.privateRepository,
        `/proc/self/root${owner.privateRepository}`,
        `${owner.home}/private/../private/payroll.git`,
        join(machine, 'work', 'project'),
        join(machine, 'runner', 'snapshots', 'repo-0.bundle'),
        join(home, 'machines', sibling.machine, 'work', 'project', '.git'),
        `file://${join(home, 'machines', hostile.machine, 'home', 'evil.git')}`,
        owner.origin.replace('http://', 'http://x@'),
        owner.origin.replace('127.0.0.1', 'localhost'),
        'https://github.com\\@127.0.0.1/x',
      ];
      return await accepted(
        urls.flatMap((clone_url, index) => [
          { name: `spawn ${clone_url}`, call: () => trySpawn(hostile.client, `thief-${String(index)}`, clone_url) },
          {
            name: `each ${clone_url}`,
            call: () =>
              hostile.client.call('each', {
                slug: `thief-${String(index)}-{}`,
                description: '{}',
                items: ['1'],
                model: 'fake',
                repos: [{ clone_url }],
              }),
          },
        ]),
      );
    },
  },
  {
    name: 'allow-by-an-agent',
    goal: 'allow itself another repository',
    attempt: ({ hostile, owner }) =>
      accepted([
        {
          name: 'allow_repos',
          call: () =>
            hostile.client.call('spawn', {
              ...{ slug: 'allows', description: 'x', model: 'fake' },
              ...{ allow_repos: [owner.otherHost], repos: [{ clone_url: owner.otherHost }] },
            }),
        },
      ]),
  },
  {
    name: 'owners-own-url',
    goal: 'make a person clone from a URL that looks like another host',
    attempt: ({ client }) =>
      accepted(
        ['https://github.com\\@127.0.0.1/x', 'https://a@b@127.0.0.1/x', 'https://github.com\u0000@127.0.0.1/x'].map(
          (url, index) => ({ name: JSON.stringify(url), call: () => trySpawn(client, `odd-${String(index)}`, url) }),
        ),
      ),
  },
  {
    name: 'hooks-of-a-local-repository',
    goal: 'run a hook as the owner by a push to a repository that contains it',
    attempt: async (testbed) => {
      const { client, folder, owner, spawn, uid } = testbed;
      // A person gives the agent a local repository that contains a hook.
      const mark = join(folder, 'hooked');
      await mkdir(mark, { mode: 0o777 });
      await chmod(mark, 0o777);
      await testbed.asOwner(`git init -q --bare -b main ${owner.home}/hooked.git
        git --git-dir ${owner.privateRepository} push -q ${owner.home}/hooked.git main
        for hook in pre-receive update post-receive post-update reference-transaction push-to-checkout; do
          printf '#!/bin/sh\\nid -u >${mark}/$(basename "$0")\\n' >${owner.home}/hooked.git/hooks/$hook
          chmod 755 ${owner.home}/hooked.git/hooks/$hook
        done`);
      const pusher = await spawn('pusher', join(owner.home, 'hooked.git'));
      const shown = await triedBy(
        pusher,
        'echo x >x; git add -A; git commit -qm x; git push -q origin HEAD 2>&1 && echo pushed',
      );
      if (!shown.includes('pushed')) throw new Error(`the push failed: ${shown}`);
      await client.call('kill', { slug: 'pusher' });
      return ['pre-receive', 'update', 'post-receive', 'post-update', 'reference-transaction', 'push-to-checkout']
        .filter((hook) => existsSync(join(mark, hook)))
        .map((hook) => `${hook} as uid ${String(uid)}`);
    },
  },
];

async function trySpawn(client: Testbed['client'], slug: string, clone_url: string): Promise<void> {
  await client.call('spawn', { slug, description: 'x', model: 'fake', repos: [{ clone_url }] });
  await client.call('kill', { slug });
}
