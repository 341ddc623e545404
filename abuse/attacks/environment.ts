// Attacks by environment variables: the agent's in programs with more rights, and the owner's in the agent.
import { readdir, readFile } from 'node:fs/promises';
import type { Attack } from '../attack.ts';
import { accepted, canariesIn, triedBy } from '../evidence.ts';
import type { Testbed } from '../testbed.ts';
import { busyFor } from '../hostile.ts';

/**
 * One variable of each kind that changes programs: loader, libc, locale, shell, git, ssh, Node, Bun, agent program,
 * network.
 */
const STEERING = [
  ...['LD_PRELOAD', 'GLIBC_TUNABLES', 'GCONV_PATH', 'LOCPATH', 'LC_ALL', 'BASH_ENV', 'ENV', 'IFS', 'PATH', 'HOME'],
  ...['GIT_SSH_COMMAND', 'GIT_CONFIG_GLOBAL', 'SSH_ASKPASS', 'NODE_OPTIONS', 'CLAUDE_CONFIG_DIR', 'MURMUR_MACHINE'],
  ...['BUN_OPTIONS', 'BUN_INSPECT_PRELOAD', 'LESSOPEN', 'LESS', 'MAX_THINKING_TOKENS', 'DISABLE_COMPACT'],
];

export const ENVIRONMENT: readonly Attack[] = [
  {
    name: 'steering-variables',
    goal: 'set a variable that changes the behaviour of loader, shell, git, Node or the agent program',
    attempt: ({ client, hostile }) =>
      accepted(
        STEERING.flatMap((name) => [
          { name: `a person: ${name}`, call: () => trySpawn(client, name) },
          { name: `an agent: ${name}`, call: () => trySpawn(hostile.client, name) },
        ]),
      ),
  },
  {
    name: 'secrets-by-an-agent',
    goal: "set a child's variables with an agent's token",
    attempt: ({ hostile }) =>
      accepted([
        { name: 'spawn', call: () => trySpawn(hostile.client, 'HARMLESS') },
        {
          name: 'each',
          call: () =>
            hostile.client.call('each', {
              slug: 'env-{}',
              description: '{}',
              items: ['1'],
              model: 'fake',
              secrets: { HARMLESS: 'x' },
            }),
        },
      ]),
  },
  {
    name: 'environment-of-the-chain',
    goal: "get its environment into a process with the owner's rights",
    skipped: { user: 'the agent has the same user as its owner', tracking: 'the agent has the same user as its owner' },
    attempt: async ({ client, uid }) => {
      const secret = 'canary-of-the-environment';
      await client.call('spawn', {
        slug: 'chain',
        description: busyFor(2),
        model: 'fake',
        secrets: { CANARY: secret },
      });
      const looking = new AbortController();
      const seen = watchChain(secret, uid, looking.signal);
      await client.wait({ slug: 'chain' });
      looking.abort();
      await client.call('kill', { slug: 'chain' });
      return await seen;
    },
  },
  {
    name: 'operators-model-key',
    goal: "send the operator's model key to its own address",
    attempt: ({ client }) =>
      accepted([
        {
          name: 'ANTHROPIC_BASE_URL without a key',
          call: () => trySpawn(client, 'ANTHROPIC_BASE_URL', 'http://127.0.0.1:9'),
        },
      ]),
  },
  {
    name: 'owners-variables',
    goal: "read passwords in the owner's git settings and proxy variables",
    attempt: async ({ hostile }) => {
      const shown = await triedBy(hostile, 'env; cat "$GIT_CONFIG_GLOBAL"; git config --list --show-origin');
      // Not the model's key, which the agent program needs: docs/security.md says that an agent can find it.
      return canariesIn(shown).filter((name) => name !== 'canary: modelKey');
    },
  },
];

async function trySpawn(client: Testbed['client'], name: string, value = 'evil'): Promise<void> {
  const slug = `env-${name.toLowerCase().replaceAll('_', '-')}`;
  await client.call('spawn', { slug, description: 'x', model: 'fake', secrets: { [name]: value } });
  await client.call('kill', { slug });
}

/** Programs that run as the owner while an agent's command starts, and whose environment contains the text. */
async function watchChain(text: string, uid: number, signal: AbortSignal): Promise<readonly string[]> {
  const found = new Set<string>();
  while (!signal.aborted) {
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      const environment = await read('environ');
      if (!environment.includes(text)) continue;
      const isOwner = new RegExp(`^Uid:\\s+${String(uid)}\\b`, 'm').test(await read('status'));
      if (isOwner) found.add(`in the environment of ${(await read('cmdline')).split('\0')[0] ?? ''}`);
    }
  }
  return [...found];
}
