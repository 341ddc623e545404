// Attacks on agents of another account on the same server.
import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient, type MurmurClient } from '../../client/index.ts';
import type { TokenFile } from '../../contract/wire/tokens.ts';
import type { Attack } from '../attack.ts';
import { accepted } from '../evidence.ts';
import type { Testbed } from '../testbed.ts';

const BOBS = '/w/default/u/bob/quiet';

export const ACCOUNTS: readonly Attack[] = [
  {
    name: 'other-account',
    goal: "read, steer or end an agent of another account with an agent's token",
    attempt: async (testbed) => {
      const bob = await clientOfBob(testbed);
      await bob.call('spawn', { slug: 'quiet', description: 'x', model: 'fake' });
      await bob.wait({ slug: 'quiet' });
      const { client } = testbed.hostile;
      const got = await accepted([
        { name: 'status', call: () => client.call('status', { slug: BOBS }) },
        { name: 'turns', call: () => client.call('turns', { slug: BOBS }) },
        { name: 'wait', call: () => client.wait({ slug: BOBS }, { signal: AbortSignal.timeout(5_000) }) },
        { name: 'task list', call: () => client.call('task_list', { slug: BOBS }) },
        { name: 'task create', call: () => client.call('task_create', { slug: BOBS, subject: 'x' }) },
        { name: 'queue add', call: () => client.call('queue_add', { slug: BOBS, description: 'x' }) },
        { name: 'queue clear', call: () => client.call('clear_queue', { slug: BOBS }) },
        { name: 'notify', call: () => client.call('notify', { slug: BOBS, message: 'x' }) },
        { name: 'interrupt', call: () => client.call('interrupt', { slug: BOBS }) },
        { name: 'budget', call: () => client.call('budget', { slug: BOBS, max_cost_usd: 1 }) },
        { name: 'child', call: () => client.call('spawn', { slug: `${BOBS}/kid`, description: 'x', model: 'fake' }) },
        { name: 'page', call: () => client.call('agent_url', { slug: BOBS, key: true }) },
        { name: 'kill', call: () => client.call('kill', { slug: BOBS }) },
      ]);
      await bob.call('kill', { slug: 'quiet' });
      return got;
    },
  },
  {
    name: 'dead-token',
    goal: 'use its token after its kill',
    attempt: async ({ client, spawn }) => {
      const victim = await spawn('mortal');
      await victim.client.call('auth', {});
      await client.call('kill', { slug: victim.slug });
      return await accepted([
        { name: 'auth', call: () => victim.client.call('auth', {}) },
        { name: 'ls', call: () => victim.client.call('ls', {}) },
      ]);
    },
  },
];

/** Another person, to whom the host's owner has given a token in the file of tokens. */
async function clientOfBob({ home, api }: Testbed): Promise<MurmurClient> {
  const file = join(home, 'tokens.json');
  const token = `mur_bob-${randomBytes(24).toString('hex')}`;
  const { tokens } = JSON.parse(await readFile(file, 'utf8')) as TokenFile;
  const sha256 = createHash('sha256').update(token).digest('hex');
  const entry = { id: 'bob', account: 'bob', sha256, created_at: new Date().toISOString() };
  await writeFile(file, JSON.stringify({ tokens: [...tokens, entry] }));
  return createClient({ url: api, token });
}
