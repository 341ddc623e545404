// A budget and an assessor with the real agent program: what it may cost, and whether it is done.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bash, heldCommand, heldCommandBegan, scripted, settled, statusOf } from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { nothingLeft } from './fixtures/processes.ts';
import { pendingTurn, temporalOf } from './fixtures/temporal.ts';
import { eventually, startStack, type TestStack } from './fixtures/stack.ts';

/** A model message that costs four cents and takes its time, as a real one does. */
const dear = (step: object): object => ({ ...step, delayMs: 400, usage: { input_tokens: 10_000, output_tokens: 1 } });

describe('an agent with a budget', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack();
  }, 180_000);
  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    await nothingLeft(stack);
  }, 120_000);

  const spawn = async (slug: string, description: string, more: object): Promise<void> => {
    const repos = [{ clone_url: stack.sample.origin, base_branch: 'main' }];
    await (await clientOf(stack)).call('spawn', { slug, description, repos, ...more });
  };

  it('is stopped at the limit in mid-turn, also when a worker died in it, and goes on where it was when it is raised', async () => {
    const steps = Array.from({ length: 12 }, (_, index) => dear(bash(`echo ${String(index)} >> counted`)));
    const prompt = scripted('Count.', ...steps.slice(0, 3), dear(bash(heldCommand('held'))), ...steps.slice(3), {
      text: 'counted all',
    });
    await spawn('spender', prompt, { max_cost_usd: 0.3 });
    const release = await heldCommandBegan(stack, 'spender', 'held');
    const { worker } = (await stack.record()).children;
    if (worker === undefined) throw new Error('the stack has no worker');
    process.kill(worker.pid, 'SIGKILL');
    await using temporal = await temporalOf(stack);
    const workflow = await temporal.agent('spender');
    await eventually('the next worker has the turn', async () => ((await pendingTurn(workflow))?.attempt ?? 0) > 1);
    await release();

    const parked = await settled(stack, 'spender');
    expect(parked).toMatchObject({ phase: 'idle', parked: { reason: expect.stringContaining('`murmur budget /w/') } });
    const used = parked.budget?.used_usd ?? 0;
    // The message in which it was noticed, and what came until the interrupt had arrived.
    expect(used).toBeGreaterThanOrEqual(0.3);
    expect(used).toBeLessThan(0.48);
    // It was told so in mid-turn: this was the only turn so far.
    expect(parked.turn?.number).toBe(1);
    const toldIn = ({ messages }: TestStack['model']['requests'][number]): number =>
      messages.filter(({ text }) => /The budget of \/w\/\S+, which covers your work, is used to/.test(text)).length;
    expect(stack.model.requests.map(toldIn)).toContain(1);
    expect(await stack.murmur(['status', 'spender'])).toMatch(/^budget: +\$0\.\d\d of \$0\.30 used/m);

    expect(await stack.murmur(['budget', 'spender', '5'])).toContain('budget of spender: $0.');
    await eventually('the turn goes on', async () => (await statusOf(stack, 'spender')).response === 'counted all');
    const done = await settled(stack, 'spender');
    expect(done).toMatchObject({ phase: 'idle', budget: { limit_usd: 5 } });
    expect(done.parked).toBeUndefined();
    expect(stack.model.requests.map(toldIn).at(-1)).toBe(1);
    expect(await stack.run(['budget', 'spender', 'lots'])).toMatchObject({ exitCode: 2 });
    expect(await stack.run(['budget', 'spender', '0'])).toMatchObject({ exitCode: 2 });
  }, 200_000);

  it('cannot raise it itself, nor its own', async () => {
    const raise = 'murmur budget "" 100 2>&1 | tail -1; echo "left with ${PIPESTATUS[0]}"';
    await spawn('cheat', scripted('Raise it.', bash(`bash -c '${raise}'`), { text: 'tried' }), { max_cost_usd: 3 });
    const { budget } = await settled(stack, 'cheat');
    expect(budget?.limit_usd).toBe(3);
    const last = JSON.stringify(stack.model.requests.at(-1)?.toolResults);
    expect(last).toContain('is for people');
  }, 120_000);

  it('is assessed: what is missing becomes the next turn, and what that costs counts', async () => {
    const missing = { done: false, reason: 'The file is empty.', missing: ['write a word into the file'] };
    const prompt = scripted(
      'Make a file.',
      bash('touch word'),
      { text: 'made it' },
      bash('echo word > word'),
      { text: 'wrote it' },
      { verdict: missing },
      { verdict: { done: true, reason: 'The word is there.', missing: [] } },
    );
    await spawn('careful', prompt, { completion_check: 'assessor' });
    const done = await settled(stack, 'careful');
    expect(done).toMatchObject({ phase: 'idle', response: 'wrote it', turn: { number: 2 } });
    const { timeline = [] } = await statusOf(stack, 'careful');
    expect(timeline.flatMap(({ type, text }) => (type === 'note' ? [text] : []))).toEqual([
      'assessment 1 of 3: not done: The file is empty. Missing: write a word into the file',
      'assessment 2 of 3: done: The word is there.',
    ]);
    const questions = stack.model.requests.filter(({ tools }) => tools.includes('StructuredOutput'));
    expect(questions.map(({ prompt: text }) => text.includes('+word'))).toEqual([false, true]);
    const turns = stack.model.requests.filter(
      ({ messages, tools }) =>
        messages.some(({ text }) => text.includes('Make a file')) && !tools.includes('StructuredOutput'),
    );
    const each = done.cost.own_usd / (turns.length + questions.length);
    expect(each).toBeCloseTo(0.0008, 6);
  }, 120_000);
});
