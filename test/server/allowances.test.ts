// Limits of what agents may use: message rate, queued bytes, uploaded bytes.
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import type { MurmurClient } from '../../client/index.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { createMemoryObjectStore } from '../../drivers/objects/memory.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { createAllowances } from '../../server/allowances/allowances.ts';
import { MessageRates } from '../../server/allowances/rate.ts';
import { UploadAllowance } from '../../server/allowances/uploads.ts';
import { startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';
import { knownAgents } from './fixtures/known-agents.ts';

const LIMITS = { uploads_mb: 1, messages_per_second: 2, queued_mb: 1 };
const LEAD = 'w/default/u/alice/lead';
const SIBLING = 'w/default/u/alice/sibling';
const OTHER = 'w/default/u/alice/other';
const LETTERS = 'x'.repeat(400_000);

const known = knownAgents();
let api: Api;
/** Tokens of the callers. Each test uses its own agents, because limits are per caller. */
let lead: Agent;
let sibling: Agent;
/** Configuration of each machine's runner; undefined when no machine can be reached. */
let config: object | undefined;

interface Agent {
  readonly token: string;
  readonly client: MurmurClient;
}

beforeAll(async () => {
  api = await startApi({ parts: { temporal: known.client }, agentLimits: LIMITS, timing: { stop: 100 } });
  const machine = {
    paths: { runner: '/' },
    get: async () => await Promise.resolve(Buffer.from(JSON.stringify(config))),
    [Symbol.asyncDispose]: async () => await Promise.resolve(),
  };
  Object.assign(api.parts.machines['local'] ?? {}, {
    connect: async () => {
      if (config === undefined) throw new MurmurError('NOT_FOUND', 'no such machine');
      return await Promise.resolve(machine);
    },
  });
  lead = await agent('lead');
  sibling = await agent('sibling');
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});
beforeEach(() => {
  known.agents.clear();
  for (const id of [LEAD, SIBLING, OTHER]) known.agents.set(id, {});
  known.signals.splice(0);
  // As after a restart of the server: only stored counts remain.
  const allowances = createAllowances(LIMITS, api.parts.objects);
  // With a clock that stands still: on a busy machine more messages would be accepted meanwhile.
  const rates = new MessageRates(LIMITS.messages_per_second, () => 0);
  Object.assign(api.parts.allowances, { ...allowances, rates });
});

async function agent(slug: string): Promise<Agent> {
  const entry = { account: 'alice', agent: `w/default/u/alice/${slug}`, created_at: '2026-01-01' };
  const token = await mintToken(api.parts.tokenStore, { id: `agent-${slug}`, ...entry });
  return { token, client: createClient({ url: api.url, token }) };
}

async function upload(
  token: string,
  mebibytes: number,
  key: string = randomUUID(),
): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${api.url}/v1/uploads/a.bin`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'idempotency-key': key },
    body: Buffer.alloc(Math.floor(mebibytes * 1_048_576)),
  });
  return { status: answer.status, body: await answer.json() };
}

describe('messages', () => {
  test('of one agent to another are limited, and the error says when the next one is accepted', async () => {
    for (let sent = 0; sent < 20; sent += 1) await lead.client.call('notify', { slug: `/${OTHER}`, message: 'x' });
    const { status, headers, body } = await api.post('/v1/notify', {
      body: { slug: `/${OTHER}`, message: 'x' },
      headers: { authorization: `Bearer ${lead.token}` },
    });
    expect([status, headers.get('retry-after')]).toEqual([429, '1']);
    expect(body).toMatchObject({
      error: { code: 'RESOURCE_EXHAUSTED', hint: expect.stringContaining('limits.messages_per_second') },
    });
    expect(known.signals).toHaveLength(20);
    await lead.client.call('notify', { slug: `/${SIBLING}`, message: 'to somebody else' });
    await sibling.client.call('notify', { slug: `/${OTHER}`, message: 'from somebody else' });
    await api.client.call('notify', { slug: 'other', message: 'from a person' });
  });

  test.each([
    ['queue_add', { slug: `/${OTHER}`, description: 'x' }],
    ['session_send', { slug: `/${OTHER}`, message: 'x' }],
    ['interrupt', { slug: '' }],
    ['task_create', { slug: '', subject: 'x' }],
    ['spawn', { slug: 'child', description: 'x' }],
    ['each', { slug: 'child-{}', description: '{}', items: ['a'] }],
  ] as const)('%s counts', async (name, input) => {
    const target = 'slug' in input && input.slug.startsWith('/') ? `/${OTHER}` : `/${LEAD}`;
    const identity = { workspace: 'default', account: 'alice', path: ['lead'] };
    const call = { caller: { account: 'alice', agent: identity }, from: `/${LEAD}` };
    for (let sent = 0; sent < 20; sent += 1) api.parts.allowances.rates.take(call, target);
    await expect(lead.client.call(name, { ...input })).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });

  test('are accepted again at the rate, and a person may send a hundred times as many', () => {
    let now = 0;
    const rates = new MessageRates(2, () => now);
    const agentCall = { caller: { account: 'a', agent: { workspace: 'w', account: 'a', path: ['x'] } }, from: '/x' };
    const taken = (call: Parameters<MessageRates['take']>[0]): number => {
      for (let sent = 0; ; sent += 1) {
        try {
          rates.take(call, '/y');
        } catch {
          return sent;
        }
      }
    };
    expect(taken(agentCall)).toBe(20);
    now = 500;
    expect(taken(agentCall)).toBe(1);
    now = 60_000;
    expect(taken(agentCall)).toBe(20);
    expect(taken({ caller: { account: 'a' }, from: 'a' })).toBe(2_000);
  });
});

describe('the queue of an agent', () => {
  const send = async ({ client }: Agent, slug = `/${OTHER}`): Promise<unknown> =>
    await client.call('queue_add', { slug, description: LETTERS });
  const waiting = (...list: readonly (readonly [string, number])[]): void => {
    known.agents.set(OTHER, { waiting: list.map(([from, bytes]) => ({ from, bytes })) });
  };

  test('is limited per sender, and others may still send', async () => {
    await send(lead);
    await send(lead);
    waiting([`/${LEAD}`, 800_000]);
    await expect(send(lead)).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: `/${LEAD} has 0.8 MiB queued at /${OTHER} (limit 1.0 MiB, \`queued_mb\` in murmur.yaml); 0.4 MiB more exceeds it`,
      hint: expect.stringContaining('limits.queued_mb'),
    });
    await send(sibling);
    await send(lead, `/${SIBLING}`);
  });

  test('is queried from the agent: messages that it has read no longer count', async () => {
    await send(lead);
    await send(lead);
    waiting([`/${LEAD}`, 400_000]);
    await send(lead);
    waiting([`/${LEAD}`, 800_000]);
    await expect(send(lead)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });

  test('is limited for all agents together, and a person may still send', async () => {
    waiting(...['a', 'b', 'c', 'd'].map((slug) => [`/w/default/u/alice/${slug}`, 900_000] as const), [
      `/${LEAD}`,
      200_000,
    ]);
    await send(lead);
    await send(lead);
    await expect(send(lead)).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringMatching(
        /^all senders together have 3\.6 MiB queued at .* \(limit 4\.0 MiB, 4 times `queued_mb`/,
      ),
    });
    await expect(send(sibling)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    await api.client.call('queue_add', { slug: 'other', description: LETTERS });
  });

  test('counts checklist items too', async () => {
    const tasks = Array.from({ length: 50 }, () => '東'.repeat(450));
    const input = { slug: `/${OTHER}`, description: 'x', tasks };
    for (let sent = 0; sent < 15; sent += 1) await lead.client.call('queue_add', input);
    waiting([`/${LEAD}`, 15 * 67_501]);
    await expect(lead.client.call('queue_add', input)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });

  test('counts the whole of a text in the object store', async () => {
    await send(lead);
    expect(known.signals).toEqual([
      expect.objectContaining({ name: 'queueAdd', payload: expect.objectContaining({ kind: 'queue' }) }),
    ]);
    expect(known.signals[0]?.payload).toMatchObject({ text: { ref: expect.any(String), bytes: 400_000 } });
  });
});

describe('status', () => {
  const view = { provider: 'local', isolation: 'namespaces', state: 'running' } as const;
  const limitsOf = async (): Promise<unknown> => (await api.client.call('status', { slug: 'other' })).limits;

  /**
   * The shown limits of a machine whose files have this content. A new machine each time, because limits are cached.
   */
  async function limitsOfNew(content: object | undefined): Promise<unknown> {
    config = content;
    known.agents.set(OTHER, { status: { vm: { ...view, name: `murmur-${randomUUID()}` } } });
    return await limitsOf();
  }

  test('shows the limits of the machine and those of the server', async () => {
    const given = { processes: 64, memory_mb: 100, shm_mb: 10, disk_mb: 1_000 };
    expect(await limitsOfNew({ isolation: { limits: given } })).toEqual({ ...given, ...LIMITS });
  });

  test('shows no limits of a machine that are not enforced', async () => {
    const limits = { processes: 64, memory_mb: 100, shm_mb: 10, disk_mb: 1_000 };
    expect(await limitsOfNew({ isolation: { kind: 'tracking', limits } })).toEqual({ disk_mb: 1_000, ...LIMITS });
    const uncounted = { kind: 'namespace', limits, limitsInForce: { processes: 'none', memory: 'process' } };
    const shown = { memory_mb: 100, shm_mb: 10, disk_mb: 1_000, ...LIMITS };
    expect(await limitsOfNew({ isolation: uncounted })).toEqual(shown);
  });

  test("shows the limits that a runner found to be in force on another host's machine", async () => {
    const limits = { processes: 64, memory_mb: 100, shm_mb: 10, disk_mb: 1_000 };
    // Stands for both files of the machine: the wishes, and what is in force.
    const wanted = { isolation: { choice: 'auto', limits } };
    expect(await limitsOfNew({ ...wanted, kind: 'tracking' })).toEqual({ disk_mb: 1_000, ...LIMITS });
    expect(await limitsOfNew({ ...wanted, kind: 'namespace' })).toEqual({ ...limits, ...LIMITS });
  });

  test('shows no limits of a machine of an earlier build, or of an unreachable one', async () => {
    for (const content of [{ isolation: {} }, undefined]) expect(await limitsOfNew(content)).toEqual(LIMITS);
  });

  test('reads the limits of a machine once for consecutive calls, and again after an answer without limits', async () => {
    const limits = { disk_mb: 1_000 };
    expect(await limitsOfNew(undefined)).toEqual(LIMITS);
    config = { isolation: { limits } };
    expect(await limitsOf()).toEqual({ ...limits, ...LIMITS });
    config = { isolation: { limits: { disk_mb: 2_000 } } };
    expect(await limitsOf()).toEqual({ ...limits, ...LIMITS });
  });
});

describe('uploads of an agent', () => {
  test('are limited in total, also after a restart of the server, and a repeated one counts once', async () => {
    const key = randomUUID();
    expect((await upload(lead.token, 0.4, key)).status).toBe(200);
    expect((await upload(lead.token, 0.4, key)).status).toBe(200);
    expect((await upload(lead.token, 0.4)).status).toBe(200);
    Object.assign(api.parts.allowances, createAllowances(LIMITS, api.parts.objects));
    const refused = await upload(lead.token, 0.4);
    expect([refused.status, refused.body]).toEqual([
      429,
      {
        error: expect.objectContaining({
          code: 'RESOURCE_EXHAUSTED',
          message: `/${LEAD} has uploaded 0.8 of 1 MiB (\`uploads_mb\` in murmur.yaml): this file does not fit`,
          hint: expect.stringContaining('limits.uploads_mb'),
        }),
      },
    ]);
    expect((await upload(lead.token, 0.1)).status).toBe(200);
    expect((await upload(sibling.token, 0.4)).status).toBe(200);
    expect((await upload(api.token, 0.4)).status).toBe(200);
  });

  test('keep their total when the server has forgotten the agent', async () => {
    const uploads = new UploadAllowance(createMemoryObjectStore(), 1, 1);
    const send = async (agentId: string): Promise<number> =>
      await uploads.count(agentId, Readable.from([Buffer.alloc(400_000)]), 0, async (counted) => {
        let bytes = 0;
        for await (const piece of counted) bytes += piece.length;
        return bytes;
      });
    // Two at once, and more agents than fit in memory.
    await Promise.all([send('w/a'), send('w/a'), send('w/b')]);
    await send('w/c');
    await expect(send('w/a')).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      details: { uploaded_bytes: 800_000 },
    });
  });

  test('that arrive at the same time do not exceed the limit together', async () => {
    const other = await agent('other');
    expect((await upload(other.token, 0.1)).status).toBe(200);
    const answers = await Promise.all([1, 2, 3, 4].map(async () => await upload(other.token, 0.4)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([]);
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(2);
  });
});
