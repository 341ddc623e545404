// What is killed comes back, and nothing is lost or done twice. Each test kills a real process with -9.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StackChild } from '../../contract/stack.ts';
import { bash, heldCommand, heldCommandBegan, nothingLeft, scripted, statusOf } from './fixtures/agent.ts';
import { eventually, startStack, type TestStack } from './fixtures/stack.ts';

describe('survival', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack();
  }, 180_000);
  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    await nothingLeft(stack);
  }, 120_000);

  /** Starts an agent and waits until its command runs; the answer lets the command end. */
  async function agentInMidTurn(slug: string): Promise<() => Promise<void>> {
    const command = `echo once >> count.txt; ${heldCommand(slug)}; cat count.txt`;
    await stack.murmur(['spawn', slug, scripted(`Job of ${slug}.`, bash(command), { text: `${slug} is done` })]);
    return heldCommandBegan(stack, slug);
  }

  async function killed(child: StackChild): Promise<void> {
    const before = (await stack.record()).children[child];
    if (before === undefined) throw new Error(`the stack has no ${child}`);
    process.kill(before.pid, 'SIGKILL');
    await eventually(`${child} is started again`, async () => {
      const record = await stack.record();
      return record.state === 'ready' && record.children[child]?.pid !== before.pid;
    });
  }

  /** The agent finishes, its command has run once, the model was asked once a step, and the log has no double. */
  async function finishesOnce(slug: string, release: () => Promise<void>): Promise<void> {
    await release();
    await stack.murmur(['wait', slug]);
    expect(await statusOf(stack, slug)).toMatchObject({ phase: 'idle', response: `${slug} is done` });
    const asked = stack.model.requests.filter(({ prompt }) => prompt.includes(`Job of ${slug}.`));
    expect(asked.map(({ step }) => step)).toEqual([0, 1]);
    expect(asked[1]?.toolResults[0]?.text.match(/once/g)).toHaveLength(1);
  }

  for (const child of ['worker', 'server', 'temporal'] as const) {
    it(`kill -9 of the ${child} in mid-turn: the turn goes on, nothing is asked or done twice`, async () => {
      const release = await agentInMidTurn(`kill-${child}`);
      await killed(child);
      await finishesOnce(`kill-${child}`, release);
    }, 120_000);
  }
});
