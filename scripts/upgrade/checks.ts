// Checks of an earlier build's agents under the current build.
import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunnerAddress, RunnerConfig, RunnerHealth } from '../../contract/wire/runner.ts';
import { createFileEventLog } from '../../drivers/events/file.ts';
import { machineOf, scripted, settled, statusOf } from '../../test/e2e/fixtures/agent.ts';
import { clientOf } from '../../test/e2e/fixtures/client.ts';
import { eventually } from '../../test/e2e/fixtures/stack.ts';
import type { TestStack } from '../../test/e2e/fixtures/stack.ts';
import { AT_REST, HANGING, PARKED, PILOT, WAITING, WORKER } from './agents.ts';

export interface Check {
  readonly name: string;
  run(): Promise<void>;
}

/** A stack that the current build has taken over. */
export interface TakenOver {
  readonly stack: TestStack;
  /** The build of its runners. */
  readonly today: string;
}

/** Spawns an agent and returns the build of its runner, which is the current build. */
export async function buildOfNewRunners(stack: TestStack): Promise<string> {
  const slug = 'newcomer';
  const client = await clientOf(stack);
  await client.call('spawn', { slug, model: 'fake', description: scripted('Come.', { text: 'I am new.' }) });
  assert.equal((await settled(stack, slug)).response, 'I am new.');
  const { build } = await runnerHealth(stack, slug);
  assert.ok(build !== undefined, 'a new runner says which build it is of');
  return build;
}

/** The health of the runner on the agent's machine. */
export async function runnerHealth(stack: TestStack, slug: string): Promise<RunnerHealth> {
  const folder = join(stack.home, 'machines', await machineOf(stack, slug), 'runner');
  const { port, token } = JSON.parse(await readFile(join(folder, 'address.json'), 'utf8')) as RunnerAddress;
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as RunnerConfig;
  const headers = { authorization: `Bearer ${token ?? config.token ?? ''}` };
  const response = await fetch(`http://127.0.0.1:${port.toString()}/health`, { headers });
  return (await response.json()) as RunnerHealth;
}

/** The agent's status from its workflow: right after a start there may only be Temporal's list. */
function freshStatus(stack: TestStack, slug: string) {
  return eventually(`the workflow of ${slug} answers`, async () => {
    const client = await clientOf(stack);
    const status = await client.call('status', { slug, children: true });
    return status.stale === undefined && status;
  });
}

/** The agent answers a follow-up, and its runner is then of the current build. */
async function answersUnderToday({ stack, today }: TakenOver, slug: string): Promise<void> {
  const before = await freshStatus(stack, slug);
  const text = `Here I am, ${slug}.`;
  const client = await clientOf(stack);
  await client.call('queue_add', { slug, description: scripted('Answer.', { text }) });
  const after = await settled(stack, slug);
  assert.equal(after.response, text);
  assert.ok((after.turn?.number ?? 0) > (before.turn?.number ?? 0), 'it has had another turn');
  assert.equal((await runnerHealth(stack, slug)).build, today, 'its runner is that of the build at hand');
}

/** The log has every event of the runner's journal once and in order, and its numbers have no gap. */
async function hasWholeLog(stack: TestStack, slug: string): Promise<void> {
  const { vm, workflow } = await statusOf(stack, slug);
  const text = await readFile(join(stack.home, 'machines', vm?.name ?? '', 'runner', 'journal.jsonl'), 'utf8');
  const written = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as object);
  const log = createFileEventLog(join(stack.home, 'events'));
  const entries = await eventually('the log has the whole journal', async () => {
    const found = await log.read(workflow, 0, 100_000);
    return found.filter(({ source }) => source === 'runner').length >= written.length && found;
  });
  const ids = entries.map(({ id }) => id);
  assert.deepEqual(
    ids,
    entries.map((_, index) => index + 1),
  );
  const ofRunner = entries.filter(({ source }) => source === 'runner');
  assert.deepEqual(
    ofRunner.map(({ seq, at, event }) => ({ seq, at, event })),
    written,
  );
}

/** Checks that apply however the earlier build was stopped. */
export function checksOfAll(taken: TakenOver): readonly Check[] {
  const { stack } = taken;
  const client = clientOf(stack);
  const interrupt = async (slug: string): Promise<void> => void (await (await client).call('interrupt', { slug }));
  /** Interrupts until the agent idles: an agent whose turn was cut off is about to start the next one. */
  const isStopped = (slug: string) =>
    eventually(`${slug} idles`, async () => {
      const { pending_input, phase, turn } = await freshStatus(stack, slug);
      if (turn?.running === true) await interrupt(slug);
      return phase === 'idle' && !pending_input;
    });
  return [
    ...AT_REST.filter((slug) => !slug.startsWith('lead')).map((slug) => ({
      name: `${slug}, which was idle, answers`,
      run: () => answersUnderToday(taken, slug),
    })),
    {
      name: 'a parked agent continues with a follow-up',
      run: async () => {
        assert.ok((await freshStatus(stack, PARKED)).parked !== undefined, 'it is parked');
        await answersUnderToday(taken, PARKED);
        await hasWholeLog(stack, PARKED);
      },
    },
    {
      name: 'all agents of a tree with a budget answer, including one that was in a turn, and a kill ends all of them',
      run: async () => {
        const [busy] = HANGING;
        await isStopped(busy);
        for (const slug of ['lead/kid', busy, 'lead']) await answersUnderToday(taken, slug);
        const { budget, children = [] } = await freshStatus(stack, 'lead');
        assert.equal(budget?.limit_usd, 5);
        assert.deepEqual(children.map(({ slug }) => slug.split('/').at(-1)).toSorted(), ['busy', 'kid']);
        const { receipt } = await (await client).call('kill', { slug: 'lead' });
        assert.deepEqual(
          receipt.map(({ machine_state: state }) => state),
          ['destroyed', 'destroyed', 'destroyed'],
        );
      },
    },
    {
      name: 'a working agent of a fan-out releases its slot to the waiting one, and both answer',
      run: async () => {
        const [, first] = HANGING;
        await isStopped(first);
        await eventually('the next one works', async () => (await statusOf(stack, WAITING)).turn?.running === true);
        await isStopped(WAITING);
        await Promise.all([first, WAITING].map((slug) => answersUnderToday(taken, slug)));
      },
    },
    {
      name: 'a flight continues from its gate to its end, and ends with its pilot',
      run: async () => {
        const order = { slug: PILOT, node: 'build' };
        await (await client).call('flight_approve', order);
        await eventually('the pilot is told that all is done', async () => {
          const { state } = await (await client).call('flight_status', { slug: PILOT });
          return state === 'done' && (await statusOf(stack, PILOT)).turn?.number === 2;
        });
        await answersUnderToday(taken, PILOT);
        await (await client).call('kill', { slug: PILOT });
        assert.equal((await statusOf(stack, PILOT)).phase, 'canceled');
      },
    },
  ];
}

/** The check of the agent whose turn continues under its first runner. */
export function checkOfTakeover(taken: TakenOver, release: () => Promise<void>, runner: RunnerHealth): Check {
  const { stack, today } = taken;
  const { job, slug, text } = WORKER;
  return {
    name: 'a turn that is taken over ends under its runner, a new runner runs the next one, and no request is repeated',
    run: async () => {
      assert.equal((await runnerHealth(stack, slug)).pid, runner.pid);
      await release();
      const { response, turn } = await settled(stack, slug);
      assert.deepEqual([response, turn?.number], [text, 1]);
      assert.equal((await runnerHealth(stack, slug)).pid, runner.pid);
      const asked = stepsOf(stack);
      assert.deepEqual(asked, [0, 1]);
      const [, answered] = stack.model.requests.filter(({ messages }) => messages[0]?.text.includes('Do the job.'));
      assert.equal(answered?.toolResults[0]?.text.match(/once/g)?.length, 1, `the command of ${job} has run once`);
      await hasWholeLog(stack, slug);
      await continuesWithContext(taken);
      // A commit may have the same runner as the current code: then nothing is replaced.
      assert.equal((await runnerHealth(stack, slug)).pid === runner.pid, runner.build === today);
    },
  };
}

/** The check of the agent whose turn `murmur down` cut off. */
export function checkOfCutOff(taken: TakenOver): Check {
  const { stack } = taken;
  return {
    name: 'a turn that was cut off is noted and done in the next one',
    run: async () => {
      const { response, turn } = await settled(stack, WORKER.slug);
      assert.deepEqual([response, turn?.number], [WORKER.text, 2]);
      assert.deepEqual(stepsOf(stack), [0, 0, 1]);
      await continuesWithContext(taken);
    },
  };
}

/** The agent answers in the same conversation and with its secret. */
async function continuesWithContext(taken: TakenOver): Promise<void> {
  const { stack } = taken;
  const before = stack.model.requests.length;
  await answersUnderToday(taken, WORKER.slug);
  const [next, ...more] = stack.model.requests.slice(before).filter(({ prompt }) => prompt.includes('Answer.'));
  assert.equal(more.length, 0, 'the model is asked once for a follow-up');
  assert.ok(JSON.stringify(next?.body['messages']).includes('Do the job.'), 'it remembers its conversation');
  await hasWholeLog(stack, WORKER.slug);
}

/** Steps of the job that the model was asked for, in order. */
function stepsOf(stack: TestStack): readonly number[] {
  return stack.model.requests.filter(({ prompt }) => prompt.includes('Do the job.')).map(({ step }) => step);
}
