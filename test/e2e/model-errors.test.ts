// Model errors: the turn ends with the reason, the agent stays reachable and says what to do, and retries by itself if
// that can help. With the real Claude Code; the tests control when the model fails.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startScriptedModel, type ModelScript, type ScriptedModel } from '../../demo/model/scripted-model.ts';
import type { ModelStep } from '../../demo/model/step.ts';
import { statusOf, type AgentStatus } from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { eventually, startStack, type TestStack } from './fixtures/stack.ts';

/** Limit of a failing turn: the program's own retries take some 10 s, and more on a busy machine. */
const TIMEOUT_MS = 180_000;

/** The model's failure by name of the agent. Other agents get an answer. */
const outages = new Map<string, ModelStep>();
const script: ModelScript = ({ messages }) =>
  [...outages].find(([slug]) => messages.some(({ text }) => text.includes(marked(slug))))?.[1];

let model: ScriptedModel;
let stack: TestStack;

beforeAll(async () => {
  model = await startScriptedModel({ script });
  stack = await startStack({ up: false, env: { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: '' } });
}, TIMEOUT_MS);
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await model.stop();
}, TIMEOUT_MS);

/** Mark in a prompt that tells the model the agent's name. */
function marked(slug: string): string {
  return `(for ${slug})`;
}

async function spawn(slug: string): Promise<void> {
  const client = await clientOf(stack);
  await client.call('spawn', { slug, description: `Do your work ${marked(slug)}.` });
}

/** Resolves with the agent's status when it is parked. */
function parked(slug: string): Promise<AgentStatus & { readonly parked: NonNullable<AgentStatus['parked']> }> {
  return eventually(
    `${slug} is parked`,
    async () => {
      const status = await statusOf(stack, slug);
      return status.parked === undefined ? undefined : { ...status, parked: status.parked };
    },
    120_000,
  );
}

async function followUp(slug: string, text: string): Promise<void> {
  const client = await clientOf(stack);
  await client.call('queue_add', { slug, description: text });
}

/** Resolves when the agent has completed its task. */
async function completed(slug: string): Promise<void> {
  const client = await clientOf(stack);
  await client.wait({ slug, phase: 'task-complete' }, { signal: AbortSignal.timeout(TIMEOUT_MS) });
}

/** The request in which the agent continued, with the note on what was cut off. */
function continued(slug: string, because: string): Promise<unknown> {
  return model.waitForRequest(
    ({ messages, prompt }) =>
      messages.some(({ text }) => text.includes(marked(slug))) &&
      prompt.includes('Your last turn was cut off because a model request failed') &&
      prompt.includes(because),
    { timeoutMs: 120_000 },
  );
}

describe('without a key', () => {
  it('up warns, a turn ends at once, and status names the variable to set', async () => {
    const up = await stack.run(['up']);
    expect(up.exitCode).toBe(0);
    expect(up.stderr).toContain('neither ANTHROPIC_API_KEY nor CLAUDE_CODE_OAUTH_TOKEN is set');
    await spawn('steady');
    const { parked: why, phase } = await parked('steady');
    expect(phase).toBe('idle');
    expect(why.reason).toContain('set ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN');
    expect(why.retry_at).toBeUndefined();
    expect(model.count()).toBe(0);
  }, 180_000);

  it('the agent continues after a restart with a key and a follow-up', async () => {
    const env = { ANTHROPIC_API_KEY: 'key-of-the-tests' };
    await stack.murmur(['down']);
    expect((await stack.run(['up'], { env })).stderr).not.toContain('ANTHROPIC_API_KEY');
    await followUp('steady', 'Now there is a key.');
    await completed('steady');
    const asked = await model.waitForRequest(({ prompt }) => prompt.includes('Now there is a key.'));
    expect(asked.credential).toBe(env.ANTHROPIC_API_KEY);
    expect(asked.messages.map(({ text }) => text).join('\n')).toContain(marked('steady'));
    expect(await statusOf(stack, 'steady')).not.toHaveProperty('parked');
  }, 180_000);
});

describe('a temporary failure', () => {
  const failures: readonly (readonly [string, ModelStep, string])[] = [
    ['broken', { status: 500, message: 'it is broken' }, 'it is broken'],
    ['overloaded', { status: 529 }, '529'],
    ['limited', { status: 429 }, '429'],
    ['cut-off', { cut: 'mid', text: 'Half of this is never said, however often it is tried.' }, 'Connection'],
  ];
  beforeAll(async () => {
    for (const [slug, step] of failures) {
      outages.set(slug, step);
      await spawn(slug);
    }
  }, TIMEOUT_MS);

  it.each(failures)(
    '%s: the agent is parked until the next try, then goes on by itself',
    async (slug, _step, words) => {
      const { parked: why, phase } = await parked(slug);
      expect(phase).toBe('idle');
      expect(why.reason).toContain(words);
      expect(Date.parse(why.retry_at ?? '')).not.toBeNaN();
      outages.delete(slug);
      await continued(slug, words);
      await completed(slug);
      const status = await statusOf(stack, slug);
      expect(status).not.toHaveProperty('parked');
      expect(status.response).toContain('ACK');
      expect(status.timeline?.some(({ phase: entered }) => entered === 'failed')).toBe(false);
      // Otherwise its idle program would run until the end of the stack; the next test needs one of them.
      if (slug !== 'broken') await (await clientOf(stack)).call('kill', { slug });
    },
    TIMEOUT_MS,
  );

  it('an unreachable server: the same, when it is back', async () => {
    const { port } = model;
    await model.stop();
    await followUp('broken', 'Is anybody there?');
    const { parked: why } = await parked('broken');
    expect(why.reason).toMatch(/connect/i);
    expect(await stack.murmur(['status', 'broken'])).toMatch(/^parked: .*next try at \d{4}-/m);
    model = await startScriptedModel({ port, script });
    await continued('broken', 'Is anybody there?');
    await completed('broken');
  }, 180_000);
});

describe('a failure that only a person can fix', () => {
  it.each([
    ['a wrong key', { status: 401 }, 'put a valid key into ANTHROPIC_API_KEY'],
    ['a key without the right', { status: 403, message: 'not for you' }, 'use a key that may use this model'],
    [
      'a conversation that is too long',
      { status: 400, message: 'prompt is too long: 250000 tokens > 200000 maximum' },
      'send a shorter follow-up, or spawn a new agent',
    ],
  ])(
    '%s: no try by itself, status says what to do',
    async (what, step, advice) => {
      outages.set('steady', step);
      await followUp('steady', `Now with ${what}.`);
      const {
        parked: why,
        phase,
        reason,
      } = await eventually('it is parked with the advice', async () => {
        const status = await parked('steady');
        return status.parked.reason.includes(advice) ? status : undefined;
      });
      expect(phase).toBe('idle');
      expect(why.retry_at).toBeUndefined();
      expect(reason).toBe(why.reason);
      expect(await stack.murmur(['status', 'steady'])).toMatch(/^parked: /m);
    },
    TIMEOUT_MS,
  );

  it('a follow-up reaches the agent again, in the same conversation', async () => {
    outages.delete('steady');
    await followUp('steady', 'All is well again.');
    await continued('steady', 'All is well again.');
    await completed('steady');
    const { turn, ...status } = await statusOf(stack, 'steady');
    expect(status).not.toHaveProperty('parked');
    expect(turn).toMatchObject({ number: 6, running: false });
  }, 180_000);

  it('a quota with a long retry-after: the retry is late, and a follow-up does not wait for it', async () => {
    outages.set('steady', { status: 429, headers: { 'retry-after': '3600' } });
    await followUp('steady', 'Use up the quota.');
    const { parked: why } = await parked('steady');
    expect(why.reason).toContain('429');
    // Longer than Murmur's own delay after a first failure.
    expect(Date.parse(why.retry_at ?? '') - Date.now()).toBeGreaterThan(20_000);
    outages.delete('steady');
    await followUp('steady', 'The quota is back.');
    await continued('steady', 'The quota is back.');
    await completed('steady');
  }, 180_000);
});
