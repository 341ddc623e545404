// The client and the real API server, which is stopped and killed during calls.
import { expect, jest, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import type { LifecycleEvent } from '../../contract/wire/events.ts';
import { createMemoryEventLog } from '../../drivers/events/memory.ts';
import { createMemoryObjectStore } from '../../drivers/objects/memory.ts';
import { ACCOUNT, startApi } from '../server/fixtures/api.ts';
import type { Api } from '../server/fixtures/api.ts';

jest.setTimeout(60_000);

const ID = `w/default/u/${ACCOUNT}/told`;

/** Stores that outlive the server, with an agent that has a log. */
async function lastingParts(): Promise<{
  events: ReturnType<typeof createMemoryEventLog>;
  start: (port?: number) => Promise<Api>;
}> {
  const events = createMemoryEventLog();
  const objects = createMemoryObjectStore();
  await objects.put(`agents/${ID}/record.json`, '{}');
  const tokens = {
    source: 'test',
    version: async () => await Promise.resolve(''),
    identify: async () => await Promise.resolve({ sha256: '', account: ACCOUNT, created_at: '2026-01-01T00:00:00Z' }),
    named: async () => await Promise.resolve(undefined),
  };
  const start = async (port = 0): Promise<Api> => await startApi({ port, parts: { events, objects, tokens } });
  return { events, start };
}

async function append(
  events: ReturnType<typeof createMemoryEventLog>,
  ...list: readonly LifecycleEvent[]
): Promise<void> {
  const last = await events.lastSeq(ID, 'workflow');
  await events.append(
    ID,
    'workflow',
    list.map((event, index) => ({ seq: last + index + 1, at: '2026-01-01T00:00:00Z', event })),
  );
}

const note = (text: string): LifecycleEvent => ({ type: 'note', text });

test.each(['stopped', 'killed'] as const)(
  'a stream loses and duplicates nothing when the server is %s and restarted',
  async (how) => {
    const { events, start } = await lastingParts();
    await append(events, note('1'), note('2'));
    const first = await start();
    const port = Number(new URL(first.url).port);
    let second: Api | undefined;
    const seen: string[] = [];
    try {
      for await (const { event } of createClient({ url: first.url, token: 'x' }).stream('watch', { slug: 'told' })) {
        seen.push(event.type === 'note' ? event.text : event.type);
        if (event.type !== 'note' || event.text !== '2') continue;
        if (how === 'killed') first.app.server.closeAllConnections();
        await first[Symbol.asyncDispose]();
        await append(events, note('3'));
        second = await start(port);
        await append(events, note('4'), { type: 'phase', phase: 'completed' });
      }
    } finally {
      await second?.[Symbol.asyncDispose]();
    }
    expect(seen).toEqual(['1', '2', '3', '4', 'phase']);
  },
);

test('a slow reader gets all of a log that is larger than any buffer', async () => {
  const { events, start } = await lastingParts();
  await append(
    events,
    ...Array.from({ length: 500 }, (_each, index) => note(`${String(index)} ${'x'.repeat(16_000)}`)),
  );
  await append(events, { type: 'phase', phase: 'completed' });
  await using api = await start();
  let count = 0;
  for await (const _event of api.client.stream('watch', { slug: 'told' })) {
    count += 1;
    // Lets the server's writes fill the socket before the next event is read.
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(count).toBe(501);
});

test('a client that disconnects ends its follower of the log', async () => {
  const { events, start } = await lastingParts();
  await append(events, note('1'));
  const ended = Promise.withResolvers<void>();
  const { follow } = events;
  events.follow = (agent, after, signal) => {
    signal.addEventListener('abort', () => ended.resolve());
    return follow(agent, after, signal);
  };
  await using api = await start();
  for await (const _event of api.client.stream('watch', { slug: 'told' })) break;
  await ended.promise;
});
