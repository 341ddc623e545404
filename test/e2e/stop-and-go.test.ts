// `murmur down` and `murmur up` around agents at work and at rest, `kill`, and messages in their order.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  bash,
  heldCommand,
  heldCommandBegan,
  machineOf,
  scripted,
  settled,
  spawnAgent,
  statusOf,
} from './fixtures/agent.ts';
import { eventLog, expectWholeLog, ofType } from './fixtures/log.ts';
import { nothingLeft, processesRunning, processesWith } from './fixtures/processes.ts';
import { startStack, type TestStack } from './fixtures/stack.ts';
import { watchSession } from './fixtures/watch.ts';

describe('stop and go', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack();
  }, 180_000);
  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    await nothingLeft(stack);
  }, 120_000);

  /** What the model was asked, one text per turn of its own, for conversations that hold `text`. */
  function promptsAfter(text: string): readonly string[] {
    return stack.model.requests
      .filter(({ messages, step }) => step === 0 && messages.some((message) => message.text.includes(text)))
      .map(({ prompt }) => prompt);
  }

  // Processes whose command line nobody else uses: neither their group nor their environment leads back to the agent.
  const strayWords = ['sleep', `9${String(process.pid)}`] as const;
  const leaveStray = `(setsid env -i ${strayWords.join(' ')} &)`;

  it('down ends everything and up carries on: the cut-off turn with a note, idle agents with their conversation', async () => {
    await spawnAgent(stack, 'rested', scripted('Remember the word heliotrope.', { text: 'I remember it.' }));
    const command = `${leaveStray}; ${heldCommand('cut')}`;
    await spawnAgent(stack, 'cut', scripted('Job of cut.', bash(command), { text: 'cut is done' }));
    const release = await heldCommandBegan(stack, 'cut');
    await settled(stack, 'rested');
    expect(await processesRunning(...strayWords)).toHaveLength(1);
    const before = watchSession(stack, 'cut');
    await before.until('the command', ({ event }) => event.type === 'tool_use');
    await before.stop();

    await stack.murmur(['down']);
    expect(await processesWith(stack.home)).toEqual([]);
    expect(await processesRunning(...strayWords)).toEqual([]);
    expect(await stack.run(['status', 'cut'])).toMatchObject({ exitCode: 9 });

    await release();
    await stack.murmur(['up']);
    const after = watchSession(stack, 'cut', before.entries.at(-1)?.id);
    await settled(stack, 'cut');
    expect(await statusOf(stack, 'cut')).toMatchObject({ phase: 'idle', response: 'cut is done' });
    const [first, second, ...more] = promptsAfter('Job of cut.');
    expect(more).toEqual([]);
    expect(first).toContain('Job of cut.');
    expect(second).toContain('Murmur was stopped in the middle of your last turn');
    expect(second).toContain('> Job of cut.');

    // The log is one: who had watched before resumes after the last event that was seen, and misses nothing.
    const entries = await expectWholeLog(stack, 'cut');
    expect(ofType(entries, 'turn_complete').map(({ status }) => status)).toEqual(['cut_off', 'completed']);
    await after.until('the end', ({ event }) => event.type === 'turn_complete' && event.turn === 2);
    await after.stop();
    const session = entries.filter(({ source }) => source === 'runner').map(({ id }) => String(id));
    expect([...before.entries, ...after.entries].map(({ id }) => id)).toEqual(session);

    await stack.murmur(['queue', 'add', 'rested', 'Which', 'word', 'was', 'it?']);
    await settled(stack, 'rested');
    const asked = stack.model.requests.findLast(({ prompt }) => prompt === 'Which word was it?');
    expect(asked?.messages.map(({ text }) => text).join('\n')).toContain('I remember it.');
    expect(ofType(await eventLog(stack, 'rested'), 'turn_complete')).toHaveLength(2);
  }, 120_000);

  it('kill leaves no process behind, not even one without group and environment', async () => {
    const machine = await machineOf(stack, 'cut');
    expect(await processesRunning(...strayWords)).toHaveLength(1);
    await stack.murmur(['kill', 'cut']);
    expect(await processesRunning(...strayWords)).toEqual([]);
    expect(await processesWith(machine)).toEqual([]);
  }, 60_000);

  it('a sent message is a turn of its own before the queue and outlives its clearing; strategies batch the rest', async () => {
    const held = (name: string): string => scripted(`Hold for ${name}.`, bash(heldCommand(name)), { text: 'held' });
    await spawnAgent(stack, 'ordered', held('ordered'));
    const first = await heldCommandBegan(stack, 'ordered');
    await stack.murmur(['queue', 'add', 'ordered', 'never', 'asked']);
    await stack.murmur(['session', 'send', 'ordered', 'urgent']);
    await stack.murmur(['queue', 'clear', 'ordered']);
    await stack.murmur(['queue', 'add', 'ordered', 'alpha']);
    await stack.murmur(['queue', 'add', 'ordered', 'beta']);
    expect((await statusOf(stack, 'ordered')).queued).toEqual(['urgent', 'alpha', 'beta']);
    await first();
    await settled(stack, 'ordered');

    await stack.murmur(['queue', 'strategy', 'ordered', 'one']);
    await stack.murmur(['session', 'send', 'ordered', held('again')]);
    const second = await heldCommandBegan(stack, 'ordered', 'again');
    await stack.murmur(['queue', 'add', 'ordered', 'gamma']);
    await stack.murmur(['queue', 'add', 'ordered', 'delta']);
    await second();
    await settled(stack, 'ordered');

    const prompts = promptsAfter('Hold for ordered.');
    expect(prompts.map((prompt) => /Hold for \w+|urgent|alpha|beta|gamma|delta|never/g.exec(prompt)?.[0])).toEqual([
      'Hold for ordered',
      'urgent',
      'alpha',
      'Hold for again',
      'gamma',
      'delta',
    ]);
    expect(prompts[1]).toBe('urgent');
    expect(prompts[2]).toMatch(/^Message 1 of 2, from \S+:\nalpha\n\nMessage 2 of 2, from \S+:\nbeta$/);
    expect(prompts.slice(4)).toEqual(['gamma', 'delta']);
  }, 120_000);

  it('a second down has nothing to stop and says so', async () => {
    await stack.murmur(['down']);
    expect(await stack.json(['down'])).toEqual({ was_running: false });
    expect(await processesWith(stack.home)).toEqual([]);
  }, 60_000);
});
