import { describe, expect, it } from '@jest/globals';
import { DEQUEUE_STRATEGIES } from '../../../../contract/wire/agent.ts';
import type { FollowUp } from '../../../../contract/wire/turns.ts';
import {
  clearQueue,
  hasInput,
  messageHead,
  takeInputs,
  waitingBytes,
  waitingHeads,
} from '../../../../workflows/agent/turn/queue.ts';
import { message, texts } from '../../../fixtures/agent-state.ts';

function inbox(strategy: 'all' | 'one' | 'five', queued: number) {
  const queue = Array.from({ length: queued }, (_, index) => message(`q${(index + 1).toString()}`));
  return { due: [] as FollowUp[], sends: [] as FollowUp[], queue, strategy };
}

describe('takeInputs', () => {
  it.each([
    ['all', 7, [7]],
    ['one', 3, [1, 1, 1]],
    ['five', 12, [5, 5, 2]],
  ] as const)('batches by the strategy %s', (strategy, queued, batches) => {
    const box = inbox(strategy, queued);
    const taken: FollowUp[][] = [];
    while (hasInput(box)) taken.push(takeInputs(box));
    expect(taken.map((batch) => batch.length)).toEqual(batches);
    expect(texts(taken.flat())).toEqual(Array.from({ length: queued }, (_, index) => `q${(index + 1).toString()}`));
  });

  it.each(DEQUEUE_STRATEGIES)('takes each sent message alone, before the queue, with strategy %s', (strategy) => {
    const box = { ...inbox(strategy, 1), sends: [message('s1', 'send'), message('s2', 'send')] };
    expect([takeInputs(box), takeInputs(box), takeInputs(box)].map(texts)).toEqual([['s1'], ['s2'], ['q1']]);
  });

  it("delivers Murmur's notes together with the next input", () => {
    const box = { ...inbox('all', 2), due: [message('note', 'system')] };
    expect(texts(takeInputs(box))).toEqual(['note', 'q1', 'q2']);
  });

  it('delivers the prompt alone, even if messages are queued', () => {
    const box = { ...inbox('all', 2), due: [message('prompt', 'prompt')] };
    expect([takeInputs(box), takeInputs(box)].map(texts)).toEqual([['prompt'], ['q1', 'q2']]);
  });

  it('loses and repeats nothing in any mixture', () => {
    for (let mixture = 0; mixture < 64; mixture += 1) {
      const strategy = DEQUEUE_STRATEGIES[mixture % 3] ?? 'all';
      const box = {
        ...inbox(strategy, mixture % 13),
        sends: Array.from({ length: mixture % 4 }, () => message('s', 'send')),
        due: mixture % 2 === 0 ? [message('n', 'system')] : [message('n', 'system'), message('p', 'prompt')],
      };
      const all = [...box.due, ...box.sends, ...box.queue].map((each) => each.id);
      const taken: string[] = [];
      while (hasInput(box)) taken.push(...takeInputs(box).map((each) => each.id));
      expect(taken).toEqual(all);
    }
  });
});

describe('clearQueue', () => {
  it('drops queued messages only', () => {
    const box = { ...inbox('all', 3), sends: [message('s', 'send')], due: [message('prompt', 'prompt')] };
    expect(clearQueue(box)).toBe(3);
    expect(waitingHeads(box)).toEqual(['prompt', 's']);
  });
});

describe('waitingBytes', () => {
  it('adds up texts and checklist items per sender, with the full length of a stored text if known', () => {
    const long = { ...message('head'), text: { text: 'head', ref: 'texts/long', bytes: 1_000_000 }, from: 'kid' };
    const box = {
      due: [message('12345', 'system')],
      sends: [{ ...message('1234', 'send'), from: 'kid' }],
      queue: [long, { ...message('1'), tasks: ['12', '345'], from: 'jane' }],
      notices: [{ ...message('12', 'notify'), from: 'jane' }],
    };
    const waiting = Object.fromEntries(waitingBytes(box).map(({ from, bytes }) => [from, bytes]));
    expect(waiting).toMatchObject({ kid: 1_000_004, jane: 8 });
  });

  it('counts bytes, not characters', () => {
    const box = { due: [], sends: [], queue: [{ ...message('東京'), tasks: ['é'], from: 'jane' }], notices: [] };
    expect(waitingBytes(box)).toEqual([{ from: 'jane', bytes: 8 }]);
  });
});

describe('messageHead', () => {
  it('is one short line', () => {
    expect(messageHead(message('fix\n  the   build'))).toBe('fix the build');
    expect(messageHead(message('x'.repeat(1_000)))).toHaveLength(120);
  });
});
