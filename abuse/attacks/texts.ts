// Attacks on stored texts and on the snapshot after a turn.
import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Attack } from '../attack.ts';
import { triedBy } from '../evidence.ts';
import { busyFor } from '../hostile.ts';

const WORDS = 'OWNERS-WORDS';
const MIB = 1_048_576;

export const TEXTS: readonly Attack[] = [
  {
    name: 'others-text',
    goal: "replace the text of the owner's message to another agent",
    attempt: async ({ client, hostile, sibling, model, api }) => {
      await client.call('queue_add', { slug: sibling.slug, description: busyFor(4) });
      await model.waitForRequest(({ prompt }) => prompt.startsWith('busy'));
      await client.call('queue_add', { slug: sibling.slug, description: `${WORDS} ${'x '.repeat(10_000)}` });
      const { path, timeline } = await client.call('status', { slug: sibling.slug, timeline: ['followUp'] });
      const sent = timeline?.findLast((entry) => entry.type === 'followUp');
      if (sent?.type !== 'followUp' || !sent.text.startsWith(WORDS))
        throw new Error('the message is not in the timeline');
      const answer = await fetch(`${api}/v1/queue_add`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${hostile.token}`,
          'content-type': 'application/json',
          'idempotency-key': sent.id,
        },
        body: JSON.stringify({ slug: path, description: `OTHER-WORDS ${'y '.repeat(10_000)}` }),
      });
      if (!answer.ok) throw new Error(`the message was refused: ${await answer.text()}`);
      const { prompt } = await model.waitForRequest((each) => /(OWNERS|OTHER)-WORDS/.test(each.prompt));
      return prompt.includes(WORDS) ? [] : ['the words of the owner'];
    },
  },
  {
    name: 'sparse-transcript',
    goal: "fill the host's disk with a sparse file that takes no space of its own",
    attempt: async ({ hostile, home }) => {
      await triedBy(
        hostile,
        'p=$(ls -d ~/.claude/projects/*/ | head -1); s=$(basename "$(ls $p*.jsonl | head -1)" .jsonl); mkdir -p "$p$s" && truncate -s 300M "$p$s/holes" && echo "at=$p$s/holes"',
      );
      // The next turn starts after the snapshot of the last one has been stored.
      await triedBy(hostile, 'rm -f ~/.claude/projects/*/*/holes');
      const copies = await largeFiles([join(home, 'machines', hostile.machine, 'runner'), join(home, 'objects')]);
      return copies.map((file) => `a copy of 300 MiB: ${file}`);
    },
  },
];

async function largeFiles(folders: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(folders.map((folder) => readdir(folder, { recursive: true, withFileTypes: true })));
  return found
    .flat()
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.size === 300 * MIB);
}
