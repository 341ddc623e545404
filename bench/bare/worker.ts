// Entry of the bare worker process: `node worker.ts <address> <task queue> <bundle>`. Creates the bundle if it is
// missing, like Murmur's worker, so that a replacement starts as fast. Ends on SIGTERM or when its parent has ended.
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';
import * as activities from './activities.ts';
import type { BareMessage } from './messages.ts';

const [address, taskQueue, bundle] = process.argv.slice(2);
if (address === undefined || taskQueue === undefined || bundle === undefined) {
  throw new Error('usage: worker.ts <address> <task queue> <bundle>');
}
if (!existsSync(bundle)) {
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  writeFileSync(bundle, (await bundleWorkflowCode({ workflowsPath })).code);
}

const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  taskQueue,
  activities,
  workflowBundle: { codePath: bundle },
  maxConcurrentActivityTaskExecutions: 1_000,
  maxHeartbeatThrottleInterval: '1s',
  stickyQueueScheduleToStartTimeout: '1s',
  shutdownGraceTime: '1s',
});
process.once('disconnect', () => process.exit(1));
const running = worker.run();
process.send?.({ type: 'ready' } satisfies BareMessage);
await running;
await connection.close();
process.disconnect();
