// Every kept history replays on today's workflows: agents that are alive during an upgrade continue.
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Worker } from '@temporalio/worker';
import { userCacheFolder } from '../../config/home.ts';
import { workflowBundle } from '../../worker/workflow-bundle.ts';

const FOLDER = join(import.meta.dirname, 'histories');
/** Histories of a build are in a folder of its name; the others are older. */
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.json'))
  .toSorted();

describe('kept histories', () => {
  /** The replay error of each history, by file. */
  const errors = new Map<string, Error | undefined>();

  beforeAll(async () => {
    const codePath = await workflowBundle(userCacheFolder(process.env), new DefaultLogger('ERROR'));
    const histories = files.map((file) => ({
      workflowId: file,
      history: historyFromJSON(JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))),
    }));
    const replays = Worker.runReplayHistories({ workflowBundle: { codePath } }, histories);
    for await (const { workflowId, error } of replays) errors.set(workflowId, error);
    // 550 histories take a minute alone. With sixteen other processes on two cores, more than ten minutes were seen.
  }, 1_200_000);

  it('exist', () => {
    expect(files.length).toBeGreaterThan(0);
  });

  it.each(files)('replay: %s', (file) => {
    expect([...errors.keys()]).toContain(file);
    expect(errors.get(file)).toBeUndefined();
  });
});
