// Calls in progress when their token becomes invalid: each ends with UNAUTHENTICATED, without an answer.
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import type { MurmurClient } from '../../client/index.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { createMemoryEventLog } from '../../drivers/events/memory.ts';
import { createMemoryObjectStore } from '../../drivers/objects/memory.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import type { Tokens } from '../../server/parts.ts';
import { tokenName } from '../../server/token-name.ts';
import { TokenWatch } from '../../server/token-watch.ts';
import { eventually } from '../fixtures/waiting.ts';
import { overHttp, textOf } from '../mcp/fixtures/client.ts';
import { startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';
import { knownAgents } from './fixtures/known-agents.ts';

const known = knownAgents();
known.agents.set('w/default/u/alice/lead', {});

/** Number of calls that are waiting. */
let waiting = 0;
const events = createMemoryEventLog();
const objects = createMemoryObjectStore();
let api: Api;
beforeAll(async () => {
  api = await startApi({
    timing: { plainAnswer: 50, tokenCheck: 50, recheck: 60_000 },
    parts: {
      temporal: known.client,
      events: {
        ...events,
        follow: (...all) => {
          waiting += 1;
          return events.follow(...all);
        },
      },
      objects: {
        ...objects,
        putStream: async (...all) => {
          waiting += 1;
          return await objects.putStream(...all);
        },
      },
    },
  });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

interface Caller {
  readonly token: string;
  readonly client: MurmurClient;
}

async function caller(id: string, more: { readonly expires_at?: string } = {}): Promise<Caller> {
  const token = await mintToken(api.parts.tokenStore, { id, account: 'alice', created_at: '2026-01-01', ...more });
  return { token, client: createClient({ url: api.url, token }) };
}

async function plainWait({ token }: Caller): Promise<string> {
  const { body } = await api.post('/v1/wait', {
    body: { slug: 'lead' },
    headers: { authorization: `Bearer ${token}` },
  });
  return JSON.stringify(body);
}

async function mcpWait({ token }: Caller): Promise<string> {
  await using mcp = await overHttp(api.url, token);
  return JSON.stringify(await mcp.call('wait', { slug: 'lead' }).then(textOf, String));
}

function textOfError(error: unknown): string {
  return error instanceof MurmurError ? JSON.stringify(error.toBody()) : String(error);
}

async function collected(stream: AsyncIterable<unknown>): Promise<string> {
  const seen: unknown[] = [];
  try {
    for await (const each of stream) seen.push(each);
  } catch (error) {
    return textOfError(error);
  }
  return JSON.stringify({ seen });
}

/** An upload whose sender stalls half-way. */
async function halfUpload({ token }: Caller): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { authorization: `Bearer ${token}`, 'content-length': 100 };
  const upload = request(`${api.url}/v1/uploads/a.txt`, { method: 'PUT', headers }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    answer.on('end', () => resolve(text));
  });
  upload.on('error', reject);
  upload.write('x'.repeat(50));
  const body = await promise;
  upload.destroy();
  return body;
}

const CALLS: readonly [string, (from: Caller) => Promise<string>][] = [
  ['wait', plainWait],
  ['wait-with-progress', async ({ client }) => await client.call('wait', { slug: 'lead' }).then(String, textOfError)],
  ['watch', async ({ client }) => await collected(client.stream('watch', { slug: 'lead' }))],
  ['session-watch', async ({ client }) => await collected(client.stream('session_watch', { slug: 'lead' }))],
  ['mcp', mcpWait],
  ['upload', halfUpload],
];

test.each(CALLS)('%s ends when its token is deleted', async (name, call) => {
  const before = waiting;
  const answer = call(await caller(`revoked-${name}`));
  await eventually(() => waiting > before, 'the call is under way');
  await api.parts.tokenStore.delete(`revoked-${name}`);
  const deleted = performance.now();
  const text = await answer;
  expect(text).toContain('UNAUTHENTICATED');
  expect(text).toContain('revoked while the call was under way');
  // A check every 50 ms, on a busy machine.
  expect(performance.now() - deleted).toBeLessThan(10_000);
});

test('a link ends with its token, but not because tokens cannot be read for a moment', async () => {
  let looks = 0;
  let isBroken = true;
  const tokens: Tokens = {
    ...api.parts.tokens,
    named: async (name) => {
      looks += 1;
      if (isBroken) throw new Error('EMFILE');
      return await api.parts.tokens.named(name);
    },
  };
  const { token } = await caller('of-a-link');
  const entry = await api.parts.tokens.identify(token);
  if (entry === undefined) throw new Error('the token is not known');
  const over = new AbortController();
  const link = new TokenWatch(tokens, 10).watchNamed(tokenName(entry), over.signal);
  await eventually(() => looks > 1, 'it has been looked up in vain');
  expect(link.aborted).toBe(false);
  isBroken = false;
  const before = looks;
  await eventually(() => looks > before, 'it has been looked up');
  expect(link.aborted).toBe(false);
  await api.parts.tokenStore.delete('of-a-link');
  await eventually(() => link.aborted, 'the link has ended');
  over.abort();
});

test('a call ends when its token expires', async () => {
  const answer = plainWait(await caller('short', { expires_at: new Date(Date.now() + 1_000).toISOString() }));
  expect(await answer).toContain('the token has expired');
});

test('a call continues while other tokens are created and revoked', async () => {
  const before = waiting;
  const answer = plainWait(await caller('kept'));
  await eventually(() => waiting > before, 'the call is under way');
  const other = plainWait(await caller('other'));
  await eventually(() => waiting > before + 1, 'the other call is under way');
  await api.parts.tokenStore.delete('other');
  expect(await other).toContain('UNAUTHENTICATED');
  known.agents.set('w/default/u/alice/lead', { status: { phase: 'completed' } });
  await events.append('w/default/u/alice/lead', 'workflow', [
    { seq: 1, at: '2026-01-01T00:00:00.000Z', event: { type: 'phase', phase: 'completed' } },
  ]);
  expect(await answer).toContain('"phase":"completed"');
});
