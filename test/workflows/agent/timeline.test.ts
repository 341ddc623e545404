import { describe, expect, it } from '@jest/globals';
import { OUTBOX_LIMIT, TIMELINE_LIMIT, recordEvent, timelineOf } from '../../../workflows/agent/timeline.ts';
import { NOW, testAgent } from '../../fixtures/agent-state.ts';

describe('recordEvent', () => {
  it('keeps the newest entries of the timeline', () => {
    const { state } = testAgent();
    for (let index = 0; index < 1_000; index += 1) recordEvent(state, { type: 'note', text: index.toString() }, NOW);
    expect(state.timeline).toHaveLength(TIMELINE_LIMIT);
    expect(state.timeline[TIMELINE_LIMIT - 1]).toMatchObject({ text: '999' });
  });

  it('numbers events without a gap, even while the log cannot be written', () => {
    const { state } = testAgent();
    for (let index = 0; index < 1_000; index += 1) recordEvent(state, { type: 'note', text: index.toString() }, NOW);
    expect(state.outbox.map(({ seq }) => seq)).toEqual(Array.from({ length: OUTBOX_LIMIT }, (_, index) => index + 1));
    state.outbox = [];
    recordEvent(state, { type: 'note', text: 'x' }, NOW);
    expect(state.outbox[0]?.seq).toBe(OUTBOX_LIMIT + 1);
  });

  it('keeps the terminal phase when the outbox is full', () => {
    const { state } = testAgent();
    for (let index = 0; index < 1_000; index += 1) recordEvent(state, { type: 'note', text: index.toString() }, NOW);
    recordEvent(state, { type: 'phase', phase: 'canceled' }, NOW);
    recordEvent(state, { type: 'note', text: 'late' }, NOW);
    expect(state.outbox[OUTBOX_LIMIT - 1]?.event).toEqual({ type: 'phase', phase: 'canceled' });
  });

  it('cuts long texts', () => {
    const { state } = testAgent();
    recordEvent(state, { type: 'taskComplete', turn: 1, response: 'x'.repeat(20_000) }, NOW);
    expect(JSON.stringify(state.timeline).length).toBeLessThan(2_000);
  });
});

it('timelineOf returns the requested types, and notes', () => {
  const { state } = testAgent();
  recordEvent(state, { type: 'note', text: 'n' }, NOW);
  recordEvent(state, { type: 'push', sha: '1', branch: 'b', repo: 'r' }, NOW);
  expect(timelineOf(state.timeline, ['push']).map((entry) => entry.type)).toEqual(['note', 'push']);
});
