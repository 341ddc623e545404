// Failures of a flight's agents, and the updates that follow.
import { describe, expect, it, test } from '@jest/globals';
import { MurmurError } from '../../../contract/wire/errors.ts';
import { approve, rerun, takeItems } from '../../../workflows/flight/updates.ts';
import { Graph } from './graph.ts';

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof MurmurError) return `${error.code}: ${error.message}`;
  }
  throw new Error('it was not refused');
}

const LINE = '## a\nx\n## b\n> needs: a\n\nx\n## c\n> needs: b\n\nx\n## other\nx\n';

describe('failed work', () => {
  it('blocks its dependents and wakes the pilot once, and other work continues', () => {
    const graph = new Graph(LINE);
    expect(graph.step()).toEqual(['start a', 'start other']);
    graph.sendEvent('a', 'failed', { reason: 'no such repository' });
    expect(graph.step()).toEqual([]);
    expect(graph.states()).toEqual({ a: 'failed', b: 'blocked', c: 'blocked', other: 'running' });
    const pilotMessages = graph.pilotMessages();
    expect(pilotMessages).toHaveLength(1);
    expect(pilotMessages[0]).toMatch(
      /Agent `a` has failed:\n- `a`: no such repository\nBlocked by it: `b`, `c`\..*\n.*flight_rerun/,
    );
  });

  it('is run again under another slug, without repeating finished agents', () => {
    const graph = new Graph(LINE);
    graph.step();
    graph.complete('a');
    graph.complete('other');
    graph.step();
    graph.sendEvent('b', 'canceled', { reason: 'killed by tess' });
    expect(rerun(graph.plan, graph.state, 'b')).toEqual({ nodes: ['b'] });
    expect(graph.step()).toEqual(['start b-2']);
    expect(graph.states()).toEqual({ a: 'done', b: 'running', c: 'pending', other: 'done' });
    graph.complete('b-2');
    expect(graph.step()).toEqual(['start c']);
  });

  it('of an each node is run again for the failed items only', () => {
    const graph = new Graph('## a\n> each: x\n\n{}\n');
    graph.step();
    takeItems(graph.plan, graph.state, 'a', ['one', 'two']);
    graph.step();
    graph.complete('a-one');
    graph.refuse('a', 1);
    expect(graph.states()).toEqual({ a: 'failed' });
    rerun(graph.plan, graph.state, 'a');
    expect(graph.step()).toEqual(['start a-two-2']);
  });

  it('that a follow-up continues fails the follow-up too, and both run again', () => {
    const graph = new Graph('## a\n> gate: approve\n\nx\n## b\n> continues: a\n\nx\n');
    graph.step();
    graph.sendEvent('a', 'task-complete');
    graph.sendEvent('a', 'canceled', { turn: 1 });
    expect(graph.states()).toEqual({ a: 'needs-approval', b: 'pending' });
    approve(graph.plan, graph.state, 'a', 'tess');
    graph.step();
    expect(graph.pilotMessages().join()).toContain('the agent that it continues has ended');
    expect(rerun(graph.plan, graph.state, 'b')).toEqual({ nodes: ['a', 'b'] });
    expect(graph.step()).toEqual(['start a-2']);
    expect(graph.states()).toEqual({ a: 'running', b: 'pending' });
    graph.sendEvent('a-2', 'task-complete');
    expect(graph.states()).toMatchObject({ a: 'needs-approval' });
    approve(graph.plan, graph.state, 'a', 'tess');
    expect(graph.step()).toEqual(['follow b by a-2']);
  });

  it('that could not be delivered as a follow-up is sent again to the same agent', () => {
    const graph = new Graph('## a\nx\n## b\n> continues: a\n\nx\n');
    graph.step();
    graph.sendEvent('a', 'task-complete');
    graph.step();
    graph.refuse('b');
    expect(rerun(graph.plan, graph.state, 'b')).toEqual({ nodes: ['b'] });
    expect(graph.step()).toEqual(['follow b by a']);
  });

  it('excludes the work of an idle agent, which is reported to the pilot and awaited', () => {
    const graph = new Graph('## a\nx\n');
    graph.step();
    graph.sendEvent('a', 'idle', { reason: 'branch x is not pushed' });
    expect(graph.pilotMessages()).toEqual([
      expect.stringMatching(/rests without having finished `a`: branch x is not pushed\n/),
    ]);
    expect(graph.states()).toEqual({ a: 'running' });
    graph.complete('a');
    expect(graph.states()).toEqual({ a: 'done' });
  });

  it('includes the work of an agent that was stopped before it started', () => {
    const graph = new Graph('## a\nx\n');
    graph.step();
    graph.sendEvent('a', 'completed', { turn: 0, reason: 'stopped by tess' });
    expect(graph.states()).toEqual({ a: 'failed' });
  });

  it('is not affected by events of agents outside the flight', () => {
    const graph = new Graph('## a\nx\n');
    graph.step();
    const before = JSON.stringify(graph.state);
    graph.sendEvent('a', 'failed', { spawn_id: 'somebody else' });
    expect(JSON.stringify(graph.state)).toBe(before);
  });
});

describe('a refused update changes nothing', () => {
  const GRAPH = '## a\n> gate: approve\n\nx\n## b\nx\n## e\n> each: x\n\n{}\n';

  test.each<[string, (graph: Graph) => unknown, string]>([
    [
      'approval of a node that does not wait for it',
      ({ plan, state }) => approve(plan, state, 'a', 'tess'),
      'FAILED_PRECONDITION: agent "a" of the flight is running: nothing waits for an approval',
    ],
    [
      'approval of a node without a gate',
      ({ plan, state }) => approve(plan, state, 'b', 'tess'),
      'FAILED_PRECONDITION: agent "b" of the flight has no gate',
    ],
    ['an unknown agent', ({ plan, state }) => rerun(plan, state, 'x'), 'NOT_FOUND: the flight has no agent "x"'],
    [
      'rerun of a running node',
      ({ plan, state }) => rerun(plan, state, 'b'),
      'FAILED_PRECONDITION: agent "b" of the flight is running, not failed',
    ],
    [
      'items for a node that does not wait for them',
      ({ plan, state }) => takeItems(plan, state, 'b', ['one']),
      'FAILED_PRECONDITION: agent "b" of the flight is running: no list is waited for',
    ],
    [
      'an empty item',
      ({ plan, state }) => takeItems(plan, state, 'e', ['one', ' ']),
      'INVALID_ARGUMENT: item 2 is "": it needs 1 to 300 characters on one line',
    ],
    [
      'an item of two lines',
      ({ plan, state }) => takeItems(plan, state, 'e', ['a\nb']),
      'INVALID_ARGUMENT: item 1 is "a\\nb": it needs 1 to 300 characters on one line',
    ],
    [
      'an item with NUL',
      ({ plan, state }) => takeItems(plan, state, 'e', ['a\0b']),
      'INVALID_ARGUMENT: item 1 is "a\\u0000b": it needs 1 to 300 characters on one line',
    ],
    [
      'too many items',
      ({ plan, state }) =>
        takeItems(
          plan,
          state,
          'e',
          Array.from({ length: 501 }, (_, index) => index.toString()),
        ),
      'INVALID_ARGUMENT: 501 items: at most 500 are allowed',
    ],
  ])('%s', (_what, order, refusal) => {
    const graph = new Graph(GRAPH);
    graph.step();
    const before = JSON.stringify(graph.state);
    expect(codeOf(() => order(graph))).toBe(refusal);
    expect(JSON.stringify(graph.state)).toBe(before);
  });

  it('any update once the pilot has ended', () => {
    const graph = new Graph(GRAPH);
    graph.step();
    graph.sendEvent('b', 'failed');
    graph.sendEvent('a', 'task-complete');
    graph.state.ended = true;
    for (const order of [
      () => approve(graph.plan, graph.state, 'a', 'tess'),
      () => rerun(graph.plan, graph.state, 'b'),
      () => takeItems(graph.plan, graph.state, 'e', ['x']),
    ]) {
      expect(codeOf(order)).toMatch(/^FAILED_PRECONDITION: the flight has ended with its pilot/);
    }
  });

  it('the same list gets the same answer, another one is refused', () => {
    const graph = new Graph(GRAPH);
    graph.step();
    takeItems(graph.plan, graph.state, 'e', ['one', 'two']);
    graph.step();
    expect(takeItems(graph.plan, graph.state, 'e', ['one', 'two'])).toEqual({ count: 2 });
    expect(codeOf(() => takeItems(graph.plan, graph.state, 'e', ['one']))).toContain('no list is waited for');
  });
});
