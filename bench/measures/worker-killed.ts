// From the kill of the worker to the re-attached turn.
import type { ModelStep } from '../../demo/model/step.ts';
import { pause, until } from '../bounded.ts';
import { now } from '../clock.ts';
import { followUp, idle, residentAgent } from '../laboratory/agent.ts';
import { countHistory } from '../laboratory/history.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import { followSession, type Seen, type Session } from '../laboratory/session.ts';
import type { Measure, Trial } from '../measure.ts';
import { everyAtMost } from '../target.ts';

/**
 * From kill -9 of the worker during a turn to the next event of the turn that a viewer sees. The floor is a bare
 * heartbeating activity with the same timeouts: from the kill to its next attempt. The turn continues to its end. Its
 * events and model requests are counted; a lost or repeated one fails the sample.
 */
export const workerKilled: Measure = {
  name: 'worker-killed',
  title: 'worker killed → turn re-attached',
  unit: 'ms',
  samples: { full: 20, quick: 2 },
  warmUps: 0,
  // For a heartbeat timeout of at most 10 s; the trial reads the actual one.
  target: everyAtMost(12_000, 'ms'),
  timeoutMs: 120_000,
  open,
};

/** With some 300 ms per step, the turn is still running when it is re-attached. */
const STEPS = 30;
const SCRIPT: readonly ModelStep[] = [
  ...Array.from({ length: STEPS }, (_, step) => ({
    tool: 'Bash',
    input: { command: `sleep 0.25; echo step-${step.toString()}`, description: `step ${step.toString()}` },
  })),
  { text: 'done' },
];

/** Events from before the kill arrive within this time, and no re-attachment is this fast. In milliseconds. */
const IN_FLIGHT_MS = 500;

async function open(laboratory: Laboratory): Promise<Trial> {
  const { bare, temporal } = laboratory;
  const resident = residentAgent(laboratory);
  let session: Session | undefined;
  let heartbeatTimeoutMs: number | undefined;
  let runs = 0;

  return {
    floor: async () => {
      const name = laboratory.name('beat');
      const attempt = (number: number) => bare.next('attempt', (each) => each.name === name && each.attempt >= number);
      const first = attempt(1);
      const second = attempt(2);
      const { taskQueue } = bare;
      const workflow = await temporal.client.workflow.start('beatWorkflow', {
        taskQueue,
        workflowId: name,
        args: [{ name }],
      });
      await first;
      // The same average time after the last heartbeat as for the product.
      await pause(1_000);
      const killed = now();
      bare.killAndReplace();
      const { at } = await second;
      await workflow.terminate();
      return at - killed;
    },
    ours: async () => {
      const stack = laboratory.stack();
      const agent = await resident.get();
      session ??= followSession(stack, agent.slug);
      const prompt = laboratory.model.script(SCRIPT);
      await followUp(stack, agent, prompt);
      await prompt.requested(3);
      heartbeatTimeoutMs ??= (await countHistory(stack.temporal, agent.workflowId)).heartbeatTimeoutMs;
      const pid = stack.workerPid();
      if (pid === undefined) throw new Error('stack.json names no worker');
      process.kill(pid, 'SIGKILL');
      const killed = now();
      const again = await session.first(({ arrived }) => arrived > killed + IN_FLIGHT_MS);
      check(await session.turn(prompt), prompt.count());
      await idle(stack, agent);
      await until(() => Promise.resolve((stack.workerPid() ?? pid) === pid ? undefined : true), {
        everyMs: 100,
        withinMs: 20_000,
        what: 'a new worker in stack.json',
      });
      runs += 1;
      return again.arrived - killed;
    },
    get target() {
      return heartbeatTimeoutMs === undefined ? workerKilled.target : everyAtMost(heartbeatTimeoutMs + 2_000, 'ms');
    },
    notes: () =>
      heartbeatTimeoutMs === undefined
        ? []
        : [
            `heartbeat timeout ${heartbeatTimeoutMs.toString()} ms`,
            `${runs.toString()} runs, 0 events lost, 0 doubled, 0 model requests repeated`,
          ],
    close: async () => {
      await session?.close();
      await resident.close();
    },
  };
}

/** Throws unless each step's call and result were seen once, in order, and the model got one request per step. */
function check(seen: readonly Seen[], requests: number): void {
  const uses = seen.flatMap(({ event }) => (event.type === 'tool_use' ? [event.tool_use_id] : []));
  const results = seen.flatMap(({ event }) => (event.type === 'tool_result' ? [event.tool_use_id] : []));
  const texts = seen.flatMap(({ event }) => (event.type === 'tool_result' ? [event.text.trim()] : []));
  const wanted = Array.from({ length: STEPS }, (_, step) => `step-${step.toString()}`);
  const ids = seen.map(({ id }) => id);
  const problems = [
    ...(JSON.stringify(texts) === JSON.stringify(wanted) ? [] : [`results were ${texts.join(' ')}`]),
    ...(JSON.stringify(uses) === JSON.stringify(results) ? [] : ['calls and results do not match']),
    ...(new Set(uses).size === STEPS ? [] : [`${uses.length.toString()} calls`]),
    ...(new Set(ids).size === ids.length ? [] : ['an event id was seen twice']),
    ...(requests === STEPS + 1 ? [] : [`the model got ${requests.toString()} requests`]),
  ];
  if (problems.length > 0) throw new Error(`events lost or repeated: ${problems.join('; ')}`);
}
