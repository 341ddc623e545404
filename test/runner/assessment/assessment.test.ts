// Assessments in the runner, with the fake backend and real repositories.
import { afterEach, describe, expect, it } from '@jest/globals';
import path from 'node:path';
import type { AssessReply } from '../../../contract/wire/assessment.ts';
import {
  bash,
  cleanUp,
  eventOf,
  eventsUpTo,
  git,
  makeFolder,
  makeOrigin,
  openRequest,
  runTurn,
  script,
  startRunner,
  until,
} from '../fixture.ts';
import type { TestRunner } from '../fixture.ts';

afterEach(cleanUp);

async function begin(asked: string[] = []): Promise<TestRunner> {
  const folder = makeFolder();
  const origin = await makeOrigin(folder);
  const runner = await startRunner({ folder, onAsk: (prompt) => asked.push(prompt) });
  await runner.client.open(openRequest({ repos: [{ clone_url: origin, branch: 'work' }] }));
  return runner;
}

function assess({ client }: TestRunner, id: string, ...verdicts: readonly object[]): Promise<AssessReply> {
  const prompt = `This is assessment 1. ${script(...verdicts)}`;
  return client.assess({ assess_id: id, prompt }, AbortSignal.timeout(60_000));
}

const verdict = { done: true, reason: 'all there', missing: [] };

describe('an assessment', () => {
  it('sees committed, changed and new files against the base, and changes nothing', async () => {
    const asked: string[] = [];
    const runner = await begin(asked);
    const work = path.join(runner.paths.work, 'project');
    await runTurn(
      runner,
      't1',
      bash(
        'echo one > committed && git add -A && git commit -qm one && echo two >> README.md && echo three > untracked',
      ),
    );
    const before = await git(work, 'status', '--porcelain');
    const reply = await assess(runner, 'a1', { verdict });
    expect(reply).toMatchObject({ status: 'assessed', verdict });
    const question = asked.at(-1) ?? '';
    for (const line of ['b/committed', '+one', '+two', 'b/untracked', '+three']) expect(question).toContain(line);
    expect(await git(work, 'status', '--porcelain')).toBe(before);
    // Its cost is in the log, in addition to the agent's.
    const events = await eventsUpTo(runner.client, 1);
    const cost = await eventOf(runner.client, (event) => event.type === 'cost' && event.delta.usd === reply.cost.usd);
    expect(cost.event).toMatchObject({ total_usd: 0.002 + reply.cost.usd });
    expect(events.length).toBeGreaterThan(0);
    const { end_seq } = await runTurn(runner, 't2', script({ text: 'more' }));
    const after = (await eventsUpTo(runner.client, end_seq)).map(({ event }) => event);
    expect(after.findLast(({ type }) => type === 'cost')).toMatchObject({ total_usd: 0.003 + reply.cost.usd });
  });

  it('gets the file names and the beginning of a diff that is too long', async () => {
    const asked: string[] = [];
    const runner = await begin(asked);
    await runTurn(runner, 't1', bash('seq 1 90000 > big; printf "\\140\\140\\140" > a-fence'));
    await assess(runner, 'a1', { verdict });
    const question = asked.at(-1) ?? '';
    expect(question.length).toBeLessThan(260_000);
    expect(question).toMatch(/ big +\| 90000 \+/);
    expect(question).toContain('````diff');
  });

  it('runs once per id, and is rejected while a turn runs', async () => {
    const asked: string[] = [];
    const runner = await begin(asked);
    const [one, other] = await Promise.all([assess(runner, 'a1', { verdict }), assess(runner, 'a1', { verdict })]);
    expect(other).toEqual(one);
    expect(asked).toHaveLength(1);
    await runner.client.turn({ turn_id: 't1', number: 1, prompt: script({ hang: true }), inputs: [] });
    await expect(assess(runner, 'a2', { verdict })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await runner.client.interrupt({ turn_id: 't1' });
  });

  it.each([
    ['an answer that does not match the schema', null, 'the assessor gave no verdict'],
    ['something else', { done: 'perhaps' }, 'the verdict does not match the schema'],
    ['a contradiction', { ...verdict, missing: ['tests'] }, 'the verdict does not match the schema'],
  ])('with %s has no verdict, but its cost counts', async (_what, given, problem) => {
    const runner = await begin();
    const reply = await assess(runner, 'a1', { verdict: given });
    expect(reply).toMatchObject({ status: 'not_assessed', problem });
    expect(reply.cost.usd).toBeGreaterThan(0);
  });

  it('ends on an interrupt, also an earlier one, and when the runner stops', async () => {
    const asked: string[] = [];
    const runner = await begin(asked);
    const hanging = assess(runner, 'a1', { verdict, hang: true });
    await until(() => asked.length === 1);
    await runner.client.interrupt({ turn_id: 'a1' });
    expect((await hanging).status).toBe('interrupted');
    await runner.client.interrupt({ turn_id: 'a2' });
    expect((await assess(runner, 'a2', { verdict, hang: true })).status).toBe('interrupted');
    expect(asked).toHaveLength(1);
    const last = assess(runner, 'a3', { verdict, hang: true });
    await until(() => asked.length === 2);
    await Promise.all([
      runner.client.stop({ status: 'interrupted' }),
      last.then(({ status }) => expect(status).toBe('interrupted')),
    ]);
  });
});
