// Traces leave no mark on what a workflow does: its history replays on workflows with and without their interceptors.
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { PACKAGE_ROOT } from '../../../config/package.ts';
import { TRACE_HEADER } from '../../../contract/wire/trace.ts';
import { startAgent } from '../../fixtures/running-agent.ts';
import { sharedTemporalForFile } from '../../fixtures/temporal-for-file.ts';

const temporal = sharedTemporalForFile();

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** A client whose starts and signals carry a trace. */
function tracedClient(): Client {
  const headers = { [TRACE_HEADER]: defaultPayloadConverter.toPayload({ traceparent: TRACEPARENT }) };
  const { connection } = temporal.client;
  return new Client({
    connection,
    namespace: temporal.namespace,
    interceptors: {
      workflow: [
        {
          startWithDetails: (input, next) => next({ ...input, headers }),
          signal: (input, next) => next({ ...input, headers }),
        },
      ],
    },
  });
}

it('the history of a traced agent replays with and without the interceptors of traces', async () => {
  await using agent = await startAgent({ ...temporal, client: tracedClient() });
  await agent.untilIdle();
  await agent.queueAdd('more');
  await agent.until((now) => now.working_on === 'more' && now.phase === 'idle');
  const history = await agent.handle.fetchHistory();
  const scheduled = history.events?.flatMap(({ activityTaskScheduledEventAttributes: each }) => each ?? []) ?? [];
  const carried = scheduled.map(({ header }) => Buffer.from(header?.fields?.[TRACE_HEADER]?.data ?? '').toString());
  expect(carried.length).toBeGreaterThan(1);
  for (const each of carried) expect(each).toContain(TRACEPARENT.slice(0, 36));

  const { code } = await bundleWorkflowCode({
    workflowsPath: join(PACKAGE_ROOT, 'workflows', 'index.ts'),
    payloadConverterPath: join(PACKAGE_ROOT, 'workflows', 'payload-converter.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  for (const workflowBundle of [{ codePath: temporal.bundle }, { code }]) {
    await Worker.runReplayHistory({ workflowBundle }, history);
  }
}, 120_000);
