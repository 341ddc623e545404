// When agents of a flight start, and when the flight is done.
import { describe, expect, it } from '@jest/globals';
import { approve, takeItems } from '../../../workflows/flight/updates.ts';
import { msUntilNextAsk, step } from '../../../workflows/flight/step.ts';
import { Graph } from './graph.ts';

const DIAMOND = '## a\nx\n## b\n> needs: a\n\nx\n## c\n> needs: a\n\nx\n## d\n> needs: b, c\n\nx\n';

it('an agent of a list is started with its item as it appears in its slug, even with a long slug', () => {
  const slug = 'a'.repeat(60);
  const graph = new Graph(`## ${slug}\n> each: x\n\n{}\n`);
  graph.step();
  takeItems(graph.plan, graph.state, slug, ['src/Web UI']);
  const start = { do: 'start', node: slug, index: 0, agent: `${'a'.repeat(40)}-src-web-ui`, item_slug: 'src-web-ui' };
  expect(step(graph.plan, graph.state, graph.now, () => 'spawn-1')).toEqual([start]);
});

describe('a graph', () => {
  it('starts an agent once its dependencies are done, and finally asks the pilot for the final answer', () => {
    const graph = new Graph(DIAMOND);
    expect(graph.step()).toEqual(['start a']);
    expect(graph.step()).toEqual([]);
    expect(graph.states()).toEqual({ a: 'running', b: 'pending', c: 'pending', d: 'pending' });
    graph.complete('a');
    expect(graph.step()).toEqual(['start b', 'start c']);
    graph.complete('c');
    expect(graph.step()).toEqual([]);
    graph.complete('b');
    expect(graph.pilotMessages()).toEqual([]);
    expect(graph.step()).toEqual(['start d']);
    graph.complete('d');
    expect(graph.step()).toEqual([]);
    expect(graph.states()).toEqual({ a: 'done', b: 'done', c: 'done', d: 'done' });
    const [final, ...others] = graph.pilotMessages();
    expect(others).toEqual([]);
    expect(final).toMatch(/^\[flight\] All agents of the flight Test are done\.\n- `a`:\n {2}- `a`: answer of a\n/);
    expect(graph.step()).toEqual([]);
    expect(graph.pilotMessages()).toEqual([]);
  });

  it('runs at most max_concurrent agents at a time, in the order of the file', () => {
    const graph = new Graph('## a\nx\n## b\nx\n## c\nx\n');
    const limited = Object.assign(graph, { plan: { ...graph.plan, settings: { max_concurrent: 2 } } });
    expect(limited.step()).toEqual(['start a', 'start b']);
    expect(limited.states()).toMatchObject({ c: 'ready' });
    limited.complete('b');
    expect(limited.step()).toEqual(['start c']);
  });

  it('sends a follow-up to the agent that it continues, keeps that agent alive for it, and stops it afterwards', () => {
    const graph = new Graph('## a\nx\n## b\n> continues: a\n\nx\n## c\n> continues: b\n\nx\n## d\n> needs: a\n\nx\n');
    graph.step();
    graph.sendEvent('a', 'task-complete');
    expect(graph.step()).toEqual(['follow b by a', 'start d']);
    graph.sendEvent('a', 'running');
    graph.sendEvent('a', 'task-complete');
    expect(graph.step()).toEqual(['follow c by a']);
    graph.sendEvent('a', 'task-complete');
    graph.complete('d');
    expect(graph.step()).toEqual(['stop a']);
    graph.sendEvent('a', 'completed', { turn: 3 });
    expect(graph.step()).toEqual([]);
    expect(graph.states()).toEqual({ a: 'done', b: 'done', c: 'done', d: 'done' });
  });

  it('does not take the end of an earlier turn for the end of a follow-up', () => {
    const graph = new Graph('## a\nx\n## b\n> continues: a\n\nx\n');
    graph.step();
    graph.sendEvent('a', 'task-complete', { turn: 1 });
    const before = graph.now;
    graph.step();
    graph.sendEvent('a', 'task-complete', { turn: 1 });
    graph.sendEvent('a', 'task-complete', { turn: 2, at: before });
    expect(graph.states()).toMatchObject({ b: 'running' });
    graph.sendEvent('a', 'task-complete', { turn: 3 });
    expect(graph.states()).toMatchObject({ b: 'done' });
  });

  it('does not count an agent that waits for its own children as done', () => {
    const graph = new Graph('## a\n> gate: approve\n\nx\n');
    graph.step();
    graph.sendEvent('a', 'task-complete', { busy_children: true });
    expect(graph.states()).toEqual({ a: 'running' });
    graph.sendEvent('a', 'task-complete');
    expect(graph.states()).toEqual({ a: 'needs-approval' });
  });

  it('holds back the dependents of a gate, and keeps the agent alive until it is approved', () => {
    const graph = new Graph('## a\n> gate: approve\n\nx\n## b\n> needs: a\n\nx\n');
    graph.step();
    graph.sendEvent('a', 'task-complete');
    expect(graph.step()).toEqual([]);
    expect(graph.states()).toEqual({ a: 'needs-approval', b: 'pending' });
    expect(approve(graph.plan, graph.state, 'a', 'tess')).toEqual({ approved_by: 'tess' });
    expect(graph.step()).toEqual(['start b', 'stop a']);
    expect(approve(graph.plan, graph.state, 'a', 'bob')).toEqual({ approved_by: 'tess' });
  });

  it('starts nothing more once the flight has ended with its pilot', () => {
    const graph = new Graph(DIAMOND);
    graph.step();
    graph.complete('a');
    graph.state.ended = true;
    expect(graph.step()).toEqual([]);
  });

  it('is evaluated quickly even with exponentially many paths', () => {
    const layers = Array.from({ length: 24 }, (_, layer) =>
      ['p', 'q', 'r', 's'].map((name) => {
        const needs =
          layer === 0
            ? ''
            : `> needs: ${['p', 'q', 'r', 's'].map((each) => `${each}${(layer - 1).toString()}`).join(', ')}\n`;
        return `## ${name}${layer.toString()}\n${needs}\nx\n`;
      }),
    );
    expect(new Graph(layers.flat().join('')).step()).toHaveLength(4);
  });
});

describe('an each node', () => {
  const EACH = '## list\nx\n## audit\n> needs: list\n> each: all modules\n\nAudit {}.\n## sum\n> needs: audit\n\nx\n';

  it('asks the pilot for the list, runs once per item, and its dependents wait for all of them', () => {
    const graph = new Graph(EACH);
    graph.step();
    graph.complete('list');
    expect(graph.step()).toEqual([]);
    expect(graph.states()).toMatchObject({ audit: 'needs-items' });
    expect(graph.pilotMessages().join()).toMatch(
      /Agent `audit` runs once for each of: all modules\n.*\n- `list`: answer of list\n.*`flight_items`.*"node": "audit"/,
    );
    expect(takeItems(graph.plan, graph.state, 'audit', ['src/API', 'src/api', ' web ', 'web'])).toEqual({ count: 3 });
    expect(graph.step()).toEqual(['start audit-src-api', 'start audit-src-api-2', 'start audit-web']);
    for (const agent of ['audit-src-api', 'audit-web']) graph.complete(agent);
    expect(graph.step()).toEqual([]);
    graph.complete('audit-src-api-2');
    expect(graph.step()).toEqual(['start sum']);
  });

  it('is done at once with an empty list', () => {
    const graph = new Graph(EACH);
    graph.step();
    graph.complete('list');
    graph.step();
    takeItems(graph.plan, graph.state, 'audit', []);
    expect(graph.step()).toEqual(['start sum']);
  });

  it('asks the pilot three times, a quarter of an hour apart', () => {
    const graph = new Graph('## audit\n> each: all modules\n\nAudit {}.\n');
    graph.step();
    const asked: number[] = [];
    for (let minute = 0; minute < 60; minute += 1) {
      if (graph.pilotMessages().length > 0) asked.push(minute);
      graph.clock += 60_000;
      graph.step();
    }
    expect(asked).toEqual([0, 15, 30]);
    expect(msUntilNextAsk(graph.plan, graph.state, Date.parse(graph.now))).toBeUndefined();
  });

  it('gives its agents unique slugs within the length limit for any item', () => {
    const graph = new Graph('## a-b\nx\n## a\n> each: x\n\n{}\n');
    graph.step();
    takeItems(graph.plan, graph.state, 'a', ['b', 'ü'.repeat(200), '../..', 'B']);
    expect(graph.step()).toEqual(['start a-b-2', `start a-${'u'.repeat(61)}`, 'start a-item', 'start a-b-3']);
  });

  it('is continued with each of its agents', () => {
    const graph = new Graph('## a\n> each: x\n\n{}\n## b\n> continues: a\n\nx {}\n');
    graph.step();
    takeItems(graph.plan, graph.state, 'a', ['one', 'two']);
    graph.step();
    graph.sendEvent('a-one', 'task-complete');
    expect(graph.step()).toEqual([]);
    graph.sendEvent('a-two', 'task-complete');
    expect(graph.step()).toEqual(['follow b by a-one', 'follow b by a-two']);
    graph.sendEvent('a-one', 'task-complete');
    graph.sendEvent('a-two', 'task-complete');
    expect(graph.step()).toEqual(['stop a-one', 'stop a-two']);
  });
});
