// Health of the server, and whether agents can run. Needs no token, because supervisors call it.
import type { FastifyInstance } from 'fastify';
import { inTime } from '../agents/temporal.ts';
import type { ServerParts } from './parts.ts';

/** A worker polls at least once a minute. After a little longer it counts as gone. */
const POLLER_AGE_MS = 75_000;
/** A check that takes longer counts as failed. The supervisor limits the whole call to 2 s. */
const CHECK_MS = 1_500;
/** `TASK_QUEUE_TYPE_WORKFLOW` of Temporal's protocol. */
const WORKFLOW_QUEUE = 1;

/** Adds `GET /health` (this process answers) and `GET /ready` (Temporal answers and a worker polls). */
export function addHealth(app: FastifyInstance, parts: ServerParts): void {
  app.get('/health', async () => await Promise.resolve({ status: 'ok', version: parts.settings.version }));
  app.get('/ready', async (_request, reply) => {
    const checks = await readiness(parts);
    const ready = Object.values(checks).every((check) => check === 'ok');
    return await reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'unavailable', checks });
  });
}

async function readiness(parts: ServerParts): Promise<{ readonly temporal: string; readonly worker: string }> {
  try {
    const polled = await lastPoll(parts);
    const fresh = polled !== undefined && Date.now() - polled < POLLER_AGE_MS;
    return { temporal: 'ok', worker: fresh ? 'ok' : 'no worker polls the task queue' };
  } catch {
    return { temporal: 'Temporal does not answer', worker: 'unknown' };
  }
}

/** When a worker last polled, in milliseconds since the epoch. */
async function lastPoll(parts: ServerParts): Promise<number | undefined> {
  const { pollers } = await inTime(
    parts,
    () =>
      parts.temporal.workflowService.describeTaskQueue({
        namespace: parts.settings.temporal.namespace,
        taskQueue: { name: parts.taskQueue },
        taskQueueType: WORKFLOW_QUEUE,
      }),
    CHECK_MS,
  );
  const times = (pollers ?? []).map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000);
  return times.length === 0 ? undefined : Math.max(...times);
}
