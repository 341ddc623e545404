// Rate of `status` through the API server.
import { now } from '../clock.ts';
import { residentAgent } from '../laboratory/agent.ts';
import { residentMegabytes } from '../laboratory/memory.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import type { Measure, Trial } from '../measure.ts';
import { rateAtLeast, ratioAtLeast } from '../target.ts';

/** Answers per second to several concurrent callers. The floor queries a bare workflow with a Temporal client. */
export const status: Measure = {
  name: 'status',
  title: '`status` through the API server',
  unit: 'calls/s',
  // The product runs for a minute in total, so that a leak per call would show in the server's memory.
  samples: { full: 30, quick: 2 },
  warmUps: 1,
  target: ratioAtLeast(0.6),
  against: rateAtLeast(0.9),
  timeoutMs: 30_000,
  open,
};

const SAMPLE_MS = 2_000;
const CALLERS = 8;

async function open(laboratory: Laboratory): Promise<Trial> {
  const { bare, temporal } = laboratory;
  const name = laboratory.name('queried');
  const queried = await temporal.client.workflow.start('resident', {
    taskQueue: bare.taskQueue,
    workflowId: name,
    args: [],
  });
  const agent = residentAgent(laboratory);
  const memory: number[] = [];

  return {
    floor: () => rate(() => queried.query('state')),
    ours: async () => {
      const stack = laboratory.stack();
      const { slug } = await agent.get();
      const result = await rate(() => stack.client.call('status', { slug }));
      const pid = stack.serverPid();
      if (pid !== undefined) memory.push(await residentMegabytes(pid, () => true));
      return result;
    },
    notes: () => {
      const third = Math.ceil(memory.length / 3);
      const early = Math.max(...memory.slice(0, third));
      const late = Math.max(...memory.slice(-third));
      return memory.length === 0
        ? []
        : [`memory of the server: ${early.toFixed(0)} MB early, ${late.toFixed(0)} MB late`];
    },
    close: async () => {
      await queried.signal('order', { activity: 'end' });
      await agent.close();
    },
  };
}

/** Calls per second, from several callers that each call again after an answer. */
async function rate(call: () => Promise<unknown>): Promise<number> {
  const began = now();
  let calls = 0;
  const caller = async (): Promise<void> => {
    while (now() - began < SAMPLE_MS) {
      await call();
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return calls / ((now() - began) / 1_000);
}
