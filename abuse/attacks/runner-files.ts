// Attacks on files that the runner writes with its owner's rights, by links that the agent puts in their place.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Attack } from '../attack.ts';
import { triedBy } from '../evidence.ts';
import type { Testbed } from '../testbed.ts';
import { scripted } from '../hostile.ts';

const TRACKED = 'without namespaces, an agent can read, write and signal everything that its owner can';
/** A turn of the fake model takes less than a second; its machine has to start first. In milliseconds. */
const TURN_MS = 60_000;

export const RUNNER_FILES: readonly Attack[] = [
  {
    name: 'files-of-the-runner-transcript',
    goal: "make the runner write a conversation into the owner's files, through a link in the agent's HOME",
    admitted: { tracking: TRACKED },
    attempt: async (testbed) => {
      const { client } = testbed.hostile;
      const target = await emptyFolder(testbed, 'kept-conversations');
      const command = `cd ~ && mv .murmur-fake old && f=$(ls old | grep .) && mkdir .murmur-fake &&
        ln -s ${target}/written .murmur-fake/$f || ln -s ${target} .murmur-fake`;
      const description = scripted('go', [{ tool: 'Bash', input: { command } }, { text: 'words of the agent' }]);
      await client.call('spawn', { slug: 'writer', description, model: 'fake' });
      const { phase } = await client.wait({ slug: 'writer' }, { signal: AbortSignal.timeout(TURN_MS) });
      const written = await readdir(target);
      // The backend ends if it cannot write its conversation.
      if (written.length === 0 && phase !== 'failed') throw new Error(`the links were not laid: it is ${phase}`);
      return written;
    },
  },
  {
    name: 'files-of-the-runner-run',
    goal: "make the runner write scripts or the model's key into a folder of the owner, through a link in the runner's folder",
    skipped: { tracking: TRACKED },
    attempt: async (testbed) => {
      const { client } = testbed;
      const victim = await testbed.spawn('linker');
      const target = await emptyFolder(testbed, 'kept-settings');
      await triedBy(
        victim,
        `R=$(dirname "$(dirname "$GIT_CONFIG_GLOBAL")")
         for name in agent bin; do mv $R/$name $R/old-$name && ln -s ${target} $R/$name; done
         mv $R ~/old-run && ln -s ${target} $R
         [ -e ~/killed ] || { touch ~/killed; kill -9 $PPID; }`,
      );
      const run = join(testbed.home, 'machines', victim.machine, 'run');
      const links = (await readdir(run, { withFileTypes: true })).filter((entry) => entry.isSymbolicLink());
      await client.call('kill', { slug: victim.slug });
      return [...links.map(({ name }) => `a link at ${name}`), ...(await readdir(target))];
    },
  },
];

async function emptyFolder({ owner, asOwner }: Testbed, name: string): Promise<string> {
  const folder = join(owner.home, name);
  await asOwner(`mkdir -m 700 ${folder}`);
  return folder;
}
