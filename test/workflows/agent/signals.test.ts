import { describe, expect, it } from '@jest/globals';
import { AGENT_SIGNALS } from '../../../contract/wire/messages.ts';
import { SEEN_LIMIT, SIGNAL_HANDLERS } from '../../../workflows/agent/signals.ts';
import type { AgentState } from '../../../workflows/agent/state.ts';
import { canStart } from '../../../workflows/agent/turn/turn.ts';
import { NOW, message, testAgent, texts } from '../../fixtures/agent-state.ts';

function lastNote(state: AgentState): unknown {
  const entry = state.timeline[state.timeline.length - 1];
  return entry?.type === 'note' ? entry.text : entry;
}

describe('a message', () => {
  it('is delivered once, however often it is sent', () => {
    const { state, spec } = testAgent();
    const twice = message('once');
    for (let times = 0; times < 3; times += 1) SIGNAL_HANDLERS.queueAdd(state, twice, NOW, spec);
    SIGNAL_HANDLERS.sessionSend(state, twice, NOW, spec);
    expect([state.queue, state.sends]).toEqual([[twice], []]);
  });

  it('is recognised among the last thousand, and the list of ids is bounded', () => {
    const { state, spec } = testAgent();
    const first = message('first');
    SIGNAL_HANDLERS.queueAdd(state, first, NOW, spec);
    for (let index = 0; index < SEEN_LIMIT - 1; index += 1) SIGNAL_HANDLERS.queueAdd(state, message('m'), NOW, spec);
    SIGNAL_HANDLERS.queueAdd(state, first, NOW, spec);
    expect(state.queue.filter((each) => each.id === first.id)).toHaveLength(1);
    for (let index = 0; index < 5_000; index += 1) SIGNAL_HANDLERS.queueAdd(state, message('m'), NOW, spec);
    expect(state.seen).toHaveLength(SEEN_LIMIT);
  });

  it.each([
    ['plain text', 'add tests'],
    ['an object with a text', { text: 'add tests' }],
    ['an object with a stored text', { text: { text: 'add tests' } }],
  ])('sent by hand as %s is accepted, with an id from its number', (_, payload) => {
    const { state, spec } = testAgent();
    SIGNAL_HANDLERS.queueAdd(state, payload, NOW, spec);
    SIGNAL_HANDLERS.queueAdd(state, payload, NOW, spec);
    expect(texts(state.queue)).toEqual(['add tests', 'add tests']);
    expect(state.queue.map(({ id, from }) => [id, from])).toEqual([
      ['signal-1', 'operator'],
      ['signal-2', 'operator'],
    ]);
  });

  it.each([
    [undefined, 'it has no text'],
    [null, 'its payload is not a message'],
    [42, 'its payload is not a message'],
    [[], 'its payload is not a message'],
    ['  ', 'its text is empty'],
    [{}, 'its payload has no text'],
    [{ text: 42 }, 'its payload has no text'],
    [{ unreadable: 'Unknown encoding: x' }, 'its payload is unreadable: Unknown encoding: x'],
  ])('%j becomes a note in the timeline', (payload, words) => {
    const { state, spec } = testAgent();
    SIGNAL_HANDLERS.queueAdd(state, payload, NOW, spec);
    expect(state.queue).toEqual([]);
    expect(lastNote(state)).toBe(`queueAdd was dropped: ${words}`);
  });

  it('is cut to the length that a history may hold', () => {
    const { state, spec } = testAgent();
    SIGNAL_HANDLERS.sessionSend(state, 'x'.repeat(100_000), NOW, spec);
    expect(state.sends[0]?.text.text.length).toBe(16_384);
  });
});

it.each(AGENT_SIGNALS)('%s accepts any payload without an error', (name) => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  for (const payload of [
    undefined,
    null,
    '',
    'x',
    0,
    true,
    [],
    {},
    { id: 1, from: [], at: 'never', text: {} },
    cyclic,
  ]) {
    const { state, spec } = testAgent();
    expect(() => SIGNAL_HANDLERS[name](state, payload, NOW, spec)).not.toThrow();
  }
});

it('an upload appears on the timeline once, with its sender; an invalid one becomes a note', () => {
  const { state, spec } = testAgent();
  const upload = { filename: 'a.png', url: 'http://h/uploads/x/a.png', bytes: 3 };
  for (let times = 0; times < 2; times += 1) {
    SIGNAL_HANDLERS.upload(state, { id: 'u', from: '/w/d/u/a/x', ...upload }, NOW, spec);
  }
  const uploads = state.timeline.filter((entry) => entry.type === 'upload');
  expect(uploads).toEqual([{ type: 'upload', ...upload, at: NOW, by: '/w/d/u/a/x' }]);
  expect(state.outbox.at(-1)?.event).toEqual({ type: 'upload', ...upload });
  SIGNAL_HANDLERS.upload(state, { ...upload, bytes: 'many' }, NOW, spec);
  expect(lastNote(state)).toBe('upload was dropped: its payload is not one');
});

describe('a notice', () => {
  it('starts no turn, is delivered with the next one, and is not its subject', () => {
    const agent = testAgent();
    agent.begin();
    agent.end();
    SIGNAL_HANDLERS.notify(agent.state, { id: 'n', text: { text: 'staging is down' }, from: 'tess' }, NOW, agent.spec);
    expect(canStart(agent.state, Date.parse(NOW))).toBe(false);
    expect(agent.state.timeline.at(-1)).toMatchObject({ type: 'followUp', how: 'notify', by: 'tess' });
    SIGNAL_HANDLERS.queueAdd(agent.state, message('go on'), NOW, agent.spec);
    expect(texts(agent.begin().inputs)).toEqual(['go on', 'staging is down']);
    expect(agent.state.working_on).toBe('go on');
    expect(agent.state.notices).toEqual([]);
  });
});

describe('a signal', () => {
  it('to interrupt is recorded and has no effect while no turn runs', () => {
    const { state, spec } = testAgent();
    SIGNAL_HANDLERS.interrupt(state, { id: 'i', from: 'tess' }, NOW, spec);
    expect(lastNote(state)).toBe('interrupt by tess: no turn was running');
    expect(state.turn).toBeUndefined();
  });

  it('to interrupt marks only the running turn', () => {
    const agent = testAgent();
    agent.begin();
    SIGNAL_HANDLERS.interrupt(agent.state, undefined, NOW, agent.spec);
    expect(agent.state.turn?.interrupted_by).toBe('operator');
    agent.end({ status: 'interrupted' });
    agent.state.queue.push(message('next'));
    expect(agent.begin().interrupted_by).toBeUndefined();
  });

  it('to kill an earlier life of the same id ends nothing', () => {
    const { state, spec } = testAgent();
    SIGNAL_HANDLERS.kill(state, { id: 'k', from: 'tess', spawn_id: 'an earlier spawn' }, NOW, spec);
    expect(state.end).toBeUndefined();
    SIGNAL_HANDLERS.kill(state, { id: 'k', from: 'tess', spawn_id: spec.spawn_id }, NOW, spec);
    expect(state.end).toMatchObject({ how: 'kill', by: 'tess' });
  });

  it('to kill is accepted with any payload, keeps its reason, and takes effect once', () => {
    const { state, spec } = testAgent();
    SIGNAL_HANDLERS.kill(state, { id: 'k', from: 'tess', reason: 'wrong repo' }, NOW, spec);
    SIGNAL_HANDLERS.kill(state, 'again', NOW, spec);
    expect(state.end).toEqual({ how: 'kill', by: 'tess', reason: 'wrong repo' });
    expect(state.timeline.filter((entry) => entry.type === 'note')).toHaveLength(1);
  });
});
