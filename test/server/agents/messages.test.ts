// What is sent to agents, with a stub workflow as the agent.
import { randomUUID } from 'node:crypto';
import { describe, expect, jest, test } from '@jest/globals';
import type { FollowUp } from '../../../contract/wire/turns.ts';
import { idOf, stubAgentsForFile } from '../fixtures/stub-agents.ts';

jest.setTimeout(60_000);

const { agentClient, api, received, spawnAgent } = stubAgentsForFile();

describe('messages', () => {
  test('queue_add delivers text and checklist items under the caller’s id, once', async () => {
    await spawnAgent('queued');
    const key = randomUUID();
    const input = { slug: 'queued', description: 'also this', tasks: ['a', 'b'] };
    expect(await api.client.call('queue_add', input, { idempotencyKey: key })).toEqual({
      slug: 'queued',
      message: 'follow-up sent to queued',
    });
    const { signals } = await received('queued');
    expect(signals).toEqual([
      {
        name: 'queueAdd',
        payload: {
          id: key,
          kind: 'queue',
          text: { text: 'also this' },
          tasks: ['a', 'b'],
          from: 'alice',
          at: expect.stringMatching(/^\d{4}-/),
        },
      },
    ]);
  });

  test("an agent's message with the key of another caller neither replaces a text nor counts as a repetition", async () => {
    await spawnAgent('asked');
    const mate = await agentClient('mate');
    const key = randomUUID();
    const words = 'of the owner '.repeat(2_000);
    await api.client.call('queue_add', { slug: 'asked', description: words }, { idempotencyKey: key });
    const own = { slug: `/${idOf('asked')}`, description: 'of a mate '.repeat(2_000) };
    await mate.call('queue_add', own, { idempotencyKey: key });
    await mate.call('queue_add', own, { idempotencyKey: key });
    const { signals } = await received('asked');
    const sent = signals.map((each) => each.payload as FollowUp);
    expect(sent.map(({ from }) => from)).toEqual(['alice', `/${idOf('mate')}`, `/${idOf('mate')}`]);
    expect(sent[0]?.id).toBe(key);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(2);
    const texts = sent.map(async ({ text }) => (await api.parts.objects.get(text.ref ?? ''))?.toString());
    expect(await Promise.all(texts)).toEqual([words, own.description, own.description]);
  });

  test('another text with the same key of the same caller does not change the first one', async () => {
    await spawnAgent('changed');
    const key = randomUUID();
    for (const words of ['first ', 'second ']) {
      const input = { slug: 'changed', description: words.repeat(5_000) };
      await api.client.call('queue_add', input, { idempotencyKey: key });
    }
    const [first] = (await received('changed')).signals;
    const text = await api.parts.objects.get((first?.payload as FollowUp).text.ref ?? '');
    expect(text?.toString()).toBe('first '.repeat(5_000));
  });

  test('notify answers with the notified agent; an agent that names none notifies itself', async () => {
    await spawnAgent('noticed');
    expect(await api.client.call('notify', { slug: 'noticed', message: 'hi' })).toEqual({
      slug: 'noticed',
      message: 'notified noticed',
    });
    const self = await agentClient('noticed');
    expect(await self.call('notify', { slug: '', message: 'hi' })).toEqual({ slug: '', message: 'notified self' });
    const { signals } = await received('noticed');
    expect(signals.map(({ name }) => name)).toEqual(['notify', 'notify']);
  });

  test('session_send, interrupt and session_stop answer with the documented texts', async () => {
    await spawnAgent('signalled');
    expect(await api.client.call('session_send', { slug: 'signalled', message: 'hi' })).toMatchObject({
      message: 'sent',
    });
    expect(await api.client.call('interrupt', { slug: 'signalled' })).toMatchObject({
      message: 'interrupt sent to signalled',
    });
    expect(await api.client.call('session_stop', { slug: 'signalled' })).toMatchObject({ message: 'sent' });
    const { signals } = await received('signalled').catch(() => ({ signals: [] }));
    if (signals.length > 0) expect(signals.map((each) => each.name)).toEqual(['sessionSend', 'interrupt', 'stop']);
  });

  test.each(['/w/default/u/alice/addressed', '/u/alice/addressed', '/w/default/github_oauth/alice/addressed'])(
    'the path %s reaches the agent',
    async (slug) => {
      await spawnAgent('addressed').catch(() => undefined);
      expect(await api.client.call('interrupt', { slug })).toMatchObject({ slug });
    },
  );

  test.each([
    'queue_add',
    'session_send',
    'interrupt',
    'session_stop',
    'clear_queue',
    'kill',
    'status',
    'turns',
  ] as const)('%s to an unknown agent is NOT_FOUND with the resolved path', async (operation) => {
    const input = { slug: 'nobody', description: 'x', message: 'x' };
    const body = Object.fromEntries(
      Object.entries(input).filter(
        ([field]) =>
          field === 'slug' ||
          (field === 'description' && operation === 'queue_add') ||
          (field === 'message' && operation === 'session_send'),
      ),
    );
    const { status, body: answer } = await api.post(`/v1/${operation}`, { body });
    expect(status).toBe(404);
    expect(answer).toMatchObject({
      error: {
        code: 'NOT_FOUND',
        message: 'agent "/w/default/u/alice/nobody" not found (slug "nobody")',
        details: { slug: 'nobody', path: '/w/default/u/alice/nobody' },
      },
    });
  });

  test('a follow-up to an ended agent is FAILED_PRECONDITION', async () => {
    await spawnAgent('ended');
    await api.client.call('kill', { slug: 'ended' });
    await expect(api.client.call('queue_add', { slug: 'ended', description: 'x' })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'agent "/w/default/u/alice/ended" has ended: it is canceled',
      details: { phase: 'canceled' },
    });
    await expect(api.client.call('clear_queue', { slug: 'ended' })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
    });
  });
});

describe('queue and checklist', () => {
  test('clear_queue answers with the number of discarded follow-ups', async () => {
    await spawnAgent('cleared');
    await api.client.call('queue_add', { slug: 'cleared', description: '1' });
    await api.client.call('queue_add', { slug: 'cleared', description: '2' });
    expect(await api.client.call('clear_queue', { slug: 'cleared' })).toEqual({ cleared: 2 });
  });

  test('queue_strategy answers with the strategy in force', async () => {
    await spawnAgent('strategic');
    expect(await api.client.call('queue_strategy', { slug: 'strategic', strategy: 'five' })).toEqual({
      slug: 'strategic',
      strategy: 'five',
    });
  });

  test('tasks are created, changed, listed and shown; fields without a value are absent', async () => {
    const slug = 'tasked';
    await spawnAgent(slug);
    expect(await api.client.call('task_list', { slug })).toEqual([]);
    expect(await api.client.call('task_create', { slug, subject: 'test it' })).toEqual({ task_id: '1' });
    const dormant = { slug, subject: 'vet', activate_when: 'files_modified', pattern: '**/*.go' } as const;
    expect(await api.client.call('task_create', dormant)).toEqual({ task_id: '2' });
    const changed = { id: '1', subject: 'test it', status: 'done' };
    expect(await api.client.call('task_update', { slug, task_id: '1', status: 'done' })).toEqual(changed);
    const vet = { id: '2', subject: 'vet', status: 'pending', activation: 'files_modified:**/*.go', dormant: true };
    expect(await api.client.call('task_list', { slug })).toEqual([changed, vet]);
    expect(await api.client.call('task_list', { slug, active: true })).toEqual([]);
    expect(await api.client.call('task_get', { slug, task_id: '2' })).toEqual(vet);
  });

  test('`completed` and TASK_STATUS_… are accepted as statuses', async () => {
    const slug = 'spelled';
    await spawnAgent(slug);
    await api.client.call('task_create', { slug, subject: 'x' });
    for (const status of ['completed', 'TASK_STATUS_COMPLETED']) {
      const { body } = await api.post('/v1/task_update', { body: { slug, task_id: '1', status } });
      expect(body).toMatchObject({ status: 'done' });
    }
  });

  test('an unknown task is NOT_FOUND, as the workflow reports', async () => {
    const slug = 'taskless';
    await spawnAgent(slug);
    await expect(api.client.call('task_get', { slug, task_id: '9' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(api.client.call('task_update', { slug, task_id: '9', status: 'done' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'no task "9"',
      hint: 'list the tasks',
      details: { task_id: '9' },
    });
  });
});
