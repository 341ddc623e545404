// Showing agents and waiting for them, with a stub workflow as the agent.
import { describe, expect, jest, test } from '@jest/globals';
import { idOf, stubAgentsForFile } from '../fixtures/stub-agents.ts';

jest.setTimeout(60_000);

const { api, become, publish, putRecord, spawnAgent } = stubAgentsForFile();

describe('status and ls', () => {
  test('status adds the progress of the event log', async () => {
    await spawnAgent('busy');
    await publish('busy', 'runner', [
      { type: 'assistant_text', text: 'first' },
      { type: 'tool_use', tool: 'Bash', tool_use_id: 't', input: '{"command":"npm\\ntest","timeout":5}' },
      { type: 'tool_result', tool_use_id: 't', text: 'ok', is_error: false },
    ]);
    expect(await api.client.call('status', { slug: 'busy' })).toMatchObject({
      slug: 'busy',
      phase: 'running',
      workflow: 'w/default/u/alice/busy',
      progress: '[tool] Bash(npm test)',
      progress_at: '2026-02-03T04:05:06.000Z',
    });
  });

  test('status of an ended agent comes from its record, with the requested timeline', async () => {
    await putRecord('remembered', 'failed');
    const answer = await api.client.call('status', { slug: 'remembered', timeline: ['push'] });
    expect(answer).toMatchObject({ phase: 'failed', cost: { total_usd: 2 } });
    expect(answer.timeline).toMatchObject([{ type: 'push', branch: 'b' }]);
    expect((await api.client.call('status', { slug: 'remembered' })).timeline).toBeUndefined();
  });

  test('ls lists the caller’s living agents of the workspace; -a adds ended ones, also from records', async () => {
    const workspace = 'listing';
    await spawnAgent('one', { workspace, purpose: 'first' });
    await spawnAgent('two', { workspace });
    await putRecord('three', 'completed', workspace);
    await listed(workspace, 2);
    const slugs = async (input: object): Promise<string[]> =>
      (await api.client.call('ls', { workspace, ...input })).map((each) => each.slug);
    expect(await slugs({})).toEqual(['one', 'two']);
    expect(await slugs({ all: true })).toEqual(['one', 'three', 'two']);
    expect(await slugs({ developer: '*' })).toEqual(['one', 'two']);
    expect(await slugs({ developer: 'bob' })).toEqual([]);
    expect(await slugs({ workspace: 'elsewhere' })).toEqual([]);
    const [first] = await api.client.call('ls', { workspace });
    expect(first).toEqual({
      slug: 'one',
      path: '/w/listing/u/alice/one',
      phase: expect.stringMatching(/^(starting|running)$/),
      vm: expect.stringMatching(/^murmur-[0-9a-f]{8}$/),
      cost: 0,
      purpose: 'first',
      created_at: expect.stringMatching(/^\d{4}-/),
    });
  });

  test('ls shows progress and cost from the log', async () => {
    const workspace = 'costly';
    await spawnAgent('c', { workspace });
    await listed(workspace, 1);
    const log = `w/${workspace}/u/alice/c`;
    const usage = { usd: 1, by_model: {} };
    const many = Array.from({ length: 30 }, (_each, index) => ({
      seq: index + 2,
      at: '2026-02-03T04:05:06.000Z',
      event: { type: 'assistant_text', text: `line ${String(index)}\u001b[31m` } as const,
    }));
    await api.parts.events.append(log, 'runner', [
      { seq: 1, at: '2026-02-03T04:05:00.000Z', event: { type: 'cost', total_usd: 1.25, delta: usage } },
      ...many,
    ]);
    expect(await api.client.call('ls', { workspace })).toMatchObject([{ progress: '[text] line 29 [31m', cost: 1.25 }]);
  });

  test('ls with an invalid developer is INVALID_ARGUMENT', async () => {
    await expect(api.client.call('ls', { developer: 'a" OR "1"="1' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe('wait', () => {
  test('returns at once when the agent has already reached the phase', async () => {
    await spawnAgent('there');
    await become('there', { phase: 'idle' });
    for (const phase of [undefined, 'idle', 'task-complete'] as const) {
      const input = { slug: 'there', ...(phase === undefined ? {} : { phase }) };
      expect(await api.client.wait(input)).toMatchObject({ slug: 'there', phase: 'idle' });
    }
    const { body } = await api.post('/v1/wait', { body: { slug: 'there', phase: 'PHASE_IDLE' } });
    expect(body).toMatchObject({ phase: 'idle' });
  });

  test('blocks while input is pending, reports progress, and returns with the event that ends it', async () => {
    await spawnAgent('slow');
    await become('slow', { phase: 'idle', pending_input: true });
    const progress: unknown[] = [];
    const told = Promise.withResolvers<void>();
    const done = api.client.wait({ slug: 'slow' }, { onProgress: (each) => (progress.push(each), told.resolve()) });
    await told.promise;
    expect(progress).toMatchObject([{ phase: 'idle' }]);
    await become('slow', { phase: 'task-complete' });
    await publish('slow', 'workflow', [{ type: 'phase', phase: 'task-complete' }]);
    expect(await done).toMatchObject({ phase: 'task-complete', pending_input: false });
  });

  test('any terminal phase ends the wait for another one', async () => {
    await spawnAgent('doomed');
    const done = api.client.wait({ slug: 'doomed', phase: 'idle' });
    await api.client.call('kill', { slug: 'doomed' });
    expect(await done).toMatchObject({ phase: 'canceled' });
  });

  test('waits for several agents at once, and answers in the order in which they were named', async () => {
    for (const slug of ['first', 'second', 'third']) await spawnAgent(slug);
    await become('second', { phase: 'idle' });
    const notes: string[] = [];
    const told = Promise.withResolvers<void>();
    const note = ({ note: each = '' }: { readonly note?: string | undefined }): void => {
      notes.push(each);
      if (each === 'waiting for first, third') told.resolve();
    };
    const slugs = ['first', 'second', 'third'];
    const all = api.client.call('wait', { slugs }, { onProgress: note });
    const any = await api.client.call('wait', { slug: 'first', slugs: ['second', 'third'], mode: 'any' });
    expect(any).toMatchObject([{ slug: 'second', phase: 'idle' }]);
    await publish('first', 'runner', [{ type: 'assistant_text', text: 'on it' }]);
    await told.promise;
    for (const slug of ['third', 'first']) {
      await become(slug, { phase: 'task-complete' });
      await publish(slug, 'workflow', [{ type: 'phase', phase: 'task-complete' }]);
    }
    expect(await all).toMatchObject(slugs.map((slug) => ({ slug })));
    expect(notes.at(-1)).toMatch(/^waiting for (first|third)$|^waiting for first, third$/);
    await expect(api.client.call('wait', { slugs: ['first', 'nobody'] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(api.client.call('wait', { slugs: [] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('a caller that does not accept event streams gets one plain answer', async () => {
    await spawnAgent('plain');
    await become('plain', { phase: 'idle' });
    const { headers, body } = await api.post('/v1/wait', {
      body: { slug: 'plain' },
      headers: { accept: 'application/json' },
    });
    expect(headers.get('content-type')).toContain('application/json');
    expect(body).toMatchObject({ phase: 'idle' });
  });
});

describe('streams and turns', () => {
  test("session_watch streams the agent's events, watch Murmur's; both end with the agent", async () => {
    await spawnAgent('streamed');
    await publish('streamed', 'runner', [{ type: 'assistant_text', text: 'hello' }]);
    await publish('streamed', 'workflow', [{ type: 'phase', phase: 'running' }]);
    await publish('streamed', 'runner', [{ type: 'session_end', reason: 'stopped' }]);
    await publish('streamed', 'workflow', [{ type: 'phase', phase: 'completed' }]);
    const session = await collect(api.client.stream('session_watch', { slug: 'streamed' }));
    expect(session.map(({ id, event }) => [id, event.type])).toEqual([
      ['1', 'assistant_text'],
      ['3', 'session_end'],
    ]);
    const lifecycle = await collect(api.client.stream('watch', { slug: 'streamed' }, { from: '2' }));
    expect(lifecycle.map(({ id, event }) => [id, event.type])).toEqual([['4', 'phase']]);
  });

  test('a stream of an agent that was terminated by hand ends too', async () => {
    await spawnAgent('by-hand');
    await publish('by-hand', 'runner', [{ type: 'assistant_text', text: 'hello' }]);
    await api.parts.temporal.workflow.getHandle(idOf('by-hand')).terminate();
    expect(await collect(api.client.stream('session_watch', { slug: 'by-hand' }))).toHaveLength(1);
  });

  test('an empty or malformed event id is INVALID_ARGUMENT', async () => {
    for (const from of ['', 'abc', '-1']) {
      const { status } = await api.post('/v1/session_watch', { body: { slug: 'streamed', from } });
      expect(status).toBe(400);
    }
    const { status } = await api.post('/v1/watch', { body: { slug: 'streamed' }, headers: { 'last-event-id': 'x' } });
    expect(status).toBe(400);
  });

  test('turns are derived from the log; a running turn has no end', async () => {
    await spawnAgent('turned');
    const input = { id: 'i', kind: 'prompt', from: 'alice', text: 'do it' } as const;
    await publish('turned', 'runner', [
      { type: 'turn_start', turn_id: 't1', turn: 1, inputs: [input] },
      { type: 'turn_complete', turn_id: 't1', turn: 1, status: 'completed', response: 'done' },
      { type: 'turn_start', turn_id: 't2', turn: 2, inputs: [{ ...input, kind: 'queue', text: 'more' }] },
    ]);
    expect(await api.client.call('turns', { slug: 'turned' })).toEqual([
      {
        turn: 1,
        id: 't1',
        started_at: '2026-02-03T04:05:06.000Z',
        ended_at: '2026-02-03T04:05:06.000Z',
        status: 'completed',
        description: 'do it',
        inputs: [input],
        response: 'done',
      },
      {
        turn: 2,
        id: 't2',
        started_at: '2026-02-03T04:05:06.000Z',
        description: 'more',
        inputs: [{ ...input, kind: 'queue', text: 'more' }],
      },
    ]);
  });
});

test('ready reports that Temporal answers and a worker polls', async () => {
  const ready = await fetch(`${api.url}/ready`);
  expect(await ready.json()).toEqual({ status: 'ok', checks: { temporal: 'ok', worker: 'ok' } });
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Waits for visibility, which lists a workflow shortly after its start. */
async function listed(workspace: string, count: number): Promise<void> {
  const deadline = Date.now() + 30_000;
  while ((await api.client.call('ls', { workspace })).length < count) {
    if (Date.now() > deadline) throw new Error('the agents are not listed');
  }
}
