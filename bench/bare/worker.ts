// Entry of the bare worker process: `node worker.ts <address> <task queue>`. Ends on SIGTERM or when its parent is gone.
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import * as activities from './activities.ts';
import type { BareMessage } from './messages.ts';

const [address, taskQueue] = process.argv.slice(2);
if (address === undefined || taskQueue === undefined) throw new Error('usage: worker.ts <address> <task queue>');

const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  taskQueue,
  activities,
  workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)),
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
