// Every kept history still runs on the workflow of today: agents that are alive when Murmur is updated go on.
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { buildWorkflowBundle } from '../../worker/workflow-bundle.ts';

const FOLDER = join(import.meta.dirname, 'histories');
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

describe('kept histories', () => {
  let code: string;
  beforeAll(async () => {
    code = await buildWorkflowBundle();
  }, 60_000);

  it('there are some', () => {
    expect(files.length).toBeGreaterThan(0);
  });

  it.each(files)(
    '%s replays',
    async (file) => {
      const history = historyFromJSON(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')));
      await expect(
        Worker.runReplayHistory({ workflowBundle: { code }, replayName: file }, history),
      ).resolves.toBeUndefined();
    },
    60_000,
  );
});

describe('the workflow bundle', () => {
  it('holds the workflow, the wire contract and the SDK, and no Node code or schemas', async () => {
    const code = await buildWorkflowBundle();
    const modules = [...code.matchAll(/^\/\*!\*+!\*\\\n\s+!\*\*\* (\S+) \*\*\*!/gm)].map((match) => match[1] ?? '');
    const ours = modules.filter((name) => name.startsWith('./') && !name.includes('node_modules'));
    expect(ours.length).toBeGreaterThan(10);
    expect(ours.filter((name) => !/^\.\/(workflows|contract\/wire)\//.test(name))).toEqual([]);
    expect(
      modules.filter((name) => /node_modules\/(zod|pino|fastify|@temporalio\/(client|worker))\//.test(name)),
    ).toEqual([]);
  }, 60_000);
});
