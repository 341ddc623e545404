// The handlers against a real Temporal dev server, with a stub workflow in the agent's place.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { SourcedEvent } from '../../contract/wire/events.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { createClient } from '../../client/index.ts';
import type { MurmurClient } from '../../client/index.ts';
import type { FollowUp } from '../../contract/wire/turns.ts';
import { readSealedSpec } from '../../agents/sealed.ts';
import { machineName, secretsRef } from '../../agents/names.ts';
import { ACCOUNT, startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';
import { startStubWorker } from './fixtures/stub-worker.ts';
import type { Become, Received } from './fixtures/stub-agent.ts';
import { startTemporalServer } from '../fixtures/temporal-server.ts';
import type { TemporalServer } from '../fixtures/temporal-server.ts';

jest.setTimeout(60_000);

let temporal: TemporalServer;
let worker: AsyncDisposable;
let api: Api;
beforeAll(async () => {
  temporal = await startTemporalServer();
  worker = await startStubWorker(temporal.address);
  // A loaded machine answers a query late; what happens when nobody answers is tested in without-worker.test.ts.
  api = await startApi({ temporal: temporal.address, timing: { query: 15_000, update: 30_000, recheck: 1_000 } });
}, 180_000);
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await worker[Symbol.asyncDispose]();
  await temporal[Symbol.asyncDispose]();
});

function idOf(slug: string): string {
  return `w/default/u/${ACCOUNT}/${slug}`;
}

async function spawnAgent(slug: string, more: object = {}): Promise<void> {
  await api.client.call('spawn', { slug, description: `the task of ${slug}`, ...more });
}

/** The client of an agent of the account. */
async function agentClient(slug: string, more: { readonly rights?: 'owner' } = {}): Promise<MurmurClient> {
  const entry = {
    id: `agent-${slug}`,
    account: ACCOUNT,
    agent: idOf(slug),
    created_at: new Date().toISOString(),
    ...more,
  };
  return createClient({ url: api.url, token: await mintToken(api.parts.tokenStore, entry) });
}

async function received(slug: string): Promise<Received> {
  return await api.parts.temporal.workflow.getHandle(idOf(slug)).query<Received>('received');
}

async function become(slug: string, state: Become): Promise<void> {
  await api.parts.temporal.workflow.getHandle(idOf(slug)).signal('become', state);
}

async function publish(
  slug: string,
  source: 'runner' | 'workflow',
  events: readonly SourcedEvent['event'][],
): Promise<void> {
  const first = (await api.parts.events.lastSeq(idOf(slug), source)) + 1;
  const at = '2026-02-03T04:05:06.000Z';
  await api.parts.events.append(
    idOf(slug),
    source,
    events.map((event, index) => ({ seq: first + index, at, event })),
  );
}

/** What activities find that was sealed at the spawn. */
async function sealedAs(slug: string, spawnId: string): Promise<AgentSpec | undefined> {
  return await readSealedSpec(api.parts, idOf(slug), spawnId);
}

describe('spawn', () => {
  test('starts the agent with everything that was decided, and says where it is', async () => {
    const answer = await api.client.call('spawn', {
      slug: 'whole',
      description: 'Fix it',
      purpose: 'mend the build',
      model: 'fake-1',
      repos: [
        { clone_url: 'https://git.example.com/shop/api', base_branch: 'main' },
        { clone_url: 'git@git.example.com:shop/web', branch: 'own' },
      ],
      out: 'push',
      tasks: ['run the tests'],
      append_system_prompt: 'Be brief.',
      dequeue_strategy: 'one',
      on_idle: 'terminate',
    });
    expect(answer).toEqual({
      slug: 'whole',
      workspace: 'default',
      path: '/w/default/u/alice/whole',
      phase: 'starting',
      vm: expect.stringMatching(/^murmur-[0-9a-f]{8}$/),
    });
    const { spec } = await received('whole');
    expect(spec).toMatchObject({
      identity: { workspace: 'default', account: 'alice', path: ['whole'] },
      machine: { provider: 'local', name: answer.vm },
      repos: [
        { clone_url: 'https://git.example.com/shop/api', base_branch: 'main', branch: 'murmur/default/alice/whole' },
        { clone_url: 'git@git.example.com:shop/web', branch: 'own' },
      ],
      prompt: { text: 'Fix it' },
      backend: 'fake',
      model: 'fake-1',
      append_system_prompt: { text: 'Be brief.' },
      out: 'push',
      tasks: ['run the tests'],
      dequeue_strategy: 'one',
      on_idle: 'terminate',
      created_by: 'alice',
    });
    expect(spec.secrets?.names).toEqual([]);
    expect(await sealedAs('whole', spec.spawn_id)).toEqual(spec);
  });

  test('shows summary, memo and search attributes in Temporal', async () => {
    await spawnAgent('shown', { purpose: 'be seen', repos: [{ clone_url: 'https://git.example.com/a/b' }] });
    const description = await api.parts.temporal.workflow.getHandle(idOf('shown')).describe();
    expect(await description.staticSummary()).toBe('shown: be seen');
    expect(description.memo).toMatchObject({ purpose: 'be seen', machine: expect.stringMatching(/^murmur-/) });
    expect(description.searchAttributes).toMatchObject({
      MurmurWorkspace: ['default'],
      MurmurOwner: ['alice'],
      MurmurRoot: ['shown'],
      MurmurRepo: ['https://git.example.com/a/b'],
    });
  });

  test('a prompt of 1 MB arrives whole, by reference', async () => {
    const prompt = 'é'.repeat(500_000);
    await api.client.call('spawn', { slug: 'long', description: prompt });
    const { spec } = await received('long');
    expect(Buffer.byteLength(spec.prompt.text)).toBeLessThanOrEqual(16_384);
    expect(prompt.startsWith(spec.prompt.text)).toBe(true);
    const stored = await api.parts.objects.get(spec.prompt.ref ?? '');
    expect(stored?.toString('utf8') === prompt).toBe(true);
  });

  test('secrets lie in the secret store; the history holds names and a reference', async () => {
    await spawnAgent('secretive', { secrets: { FOO: 'hunter2' } });
    const { spec } = await received('secretive');
    expect(spec.secrets).toEqual({ ref: expect.stringMatching(/^spawn-/), names: ['FOO'] });
    expect(await api.parts.secrets.get(spec.secrets?.ref ?? '')).toEqual({
      FOO: 'hunter2',
      MURMUR_TOKEN: expect.stringMatching(/^mur_agent-/),
    });
    const history = await api.parts.temporal.workflow.getHandle(idOf('secretive')).fetchHistory();
    expect(JSON.stringify(history)).not.toContain(Buffer.from('hunter2').toString('base64').slice(0, 8));
  });

  test('a running slug is ALREADY_EXISTS, names queue add, and keeps nothing of the refused call', async () => {
    await spawnAgent('taken');
    const key = randomUUID();
    const refused = api.client.call(
      'spawn',
      { slug: 'taken', description: 'x'.repeat(20_000), secrets: { FOO: 'hunter2' } },
      { idempotencyKey: key },
    );
    await expect(refused).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      message: 'agent "/w/default/u/alice/taken" is already running',
      hint: 'send it a follow-up with `murmur queue add taken`',
    });
    expect(await api.parts.secrets.get(secretsRef(idOf('taken'), key))).toEqual({});
    expect(await api.parts.objects.list(`agents/${idOf('taken')}/`)).toEqual([]);
    expect(await sealedAs('taken', key)).toBeUndefined();
  });

  test('the same spawn sent again, as after a lost answer, gets the same answer', async () => {
    const key = randomUUID();
    const input = { slug: 'twice', description: 'x', secrets: { FOO: 'hunter2' } };
    const first = await api.client.call('spawn', input, { idempotencyKey: key });
    const kept = await api.parts.secrets.get(secretsRef(idOf('twice'), key));
    expect(kept).toEqual({ FOO: 'hunter2', MURMUR_TOKEN: expect.stringMatching(/^mur_agent-/) });
    expect(await api.client.call('spawn', input, { idempotencyKey: key })).toEqual(first);
    expect(first.vm).toBe(machineName(idOf('twice'), key));
    expect(await api.parts.secrets.get(secretsRef(idOf('twice'), key))).toEqual(kept);
    // Another attempt would have another session.
    expect((await sealedAs('twice', key))?.session_id).toBe((await received('twice')).spec.session_id);
  });

  test('an agent that sends the spawn of another caller again is refused, and changes nothing of it', async () => {
    const director = await agentClient('director', { rights: 'owner' });
    const key = randomUUID();
    const input = {
      slug: 'flown',
      description: 'p '.repeat(10_000),
      append_system_prompt: 's '.repeat(10_000),
      flight: 'f.md',
      flight_source: '# Deploy\n## build\nfirst words\n',
    };
    await api.client.call('spawn', { ...input, secrets: { FOO: 'hunter2' } }, { idempotencyKey: key });
    const belongings = async () => ({
      objects: await Promise.all(
        (await api.parts.objects.list(`agents/${idOf('flown')}/`)).map(async (name) => [
          name,
          (await api.parts.objects.get(name))?.toString(),
        ]),
      ),
      secrets: await api.parts.secrets.get(secretsRef(idOf('flown'), key)),
      sealed: await sealedAs('flown', key),
    });
    const before = await belongings();
    const changed = {
      ...input,
      slug: `/${idOf('flown')}`,
      append_system_prompt: 'e '.repeat(10_000),
      flight_source: input.flight_source.replace('first', 'other'),
    };
    await expect(director.call('spawn', changed, { idempotencyKey: key })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
    await api.client.call('spawn', { ...changed, slug: 'flown' }, { idempotencyKey: key });
    const after = await belongings();
    expect(after.objects).toEqual(expect.arrayContaining(before.objects));
    expect(after.sealed).toEqual(before.sealed);
    expect(before.objects.length).toBeGreaterThan(1);
  });

  test('a slug whose agent has ended is FAILED_PRECONDITION and says how it ended', async () => {
    await spawnAgent('over');
    await api.client.call('kill', { slug: 'over' });
    await expect(spawnAgent('over')).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'agent "/w/default/u/alice/over" has ended: it is canceled',
    });
  });

  test('a slug that only a record remembers is FAILED_PRECONDITION too', async () => {
    await putRecord('recorded-spawn', 'completed');
    await expect(spawnAgent('recorded-spawn')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });
});

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

  test('what an agent sends with the key of another caller neither replaces a text nor counts as sent before', async () => {
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

  test('another text under the key of the same caller leaves the first as it was', async () => {
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

  test('session_send, interrupt and session_stop answer in the product’s words', async () => {
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
  test('clear_queue answers how many follow-ups it discarded', async () => {
    await spawnAgent('cleared');
    await api.client.call('queue_add', { slug: 'cleared', description: '1' });
    await api.client.call('queue_add', { slug: 'cleared', description: '2' });
    expect(await api.client.call('clear_queue', { slug: 'cleared' })).toEqual({ cleared: 2 });
  });

  test('queue_strategy answers the strategy in force', async () => {
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

  test('an unknown task is NOT_FOUND, by the workflow’s own word', async () => {
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

  test('status of an ended agent comes from its record, with the timeline that was asked for', async () => {
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

  test('ls of a developer that cannot exist is INVALID_ARGUMENT', async () => {
    await expect(api.client.call('ls', { developer: 'a" OR "1"="1' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe('wait', () => {
  test('returns at once when the agent is there already', async () => {
    await spawnAgent('there');
    await become('there', { phase: 'idle' });
    for (const phase of [undefined, 'idle', 'task-complete'] as const) {
      const input = { slug: 'there', ...(phase === undefined ? {} : { phase }) };
      expect(await api.client.wait(input)).toMatchObject({ slug: 'there', phase: 'idle' });
    }
    const { body } = await api.post('/v1/wait', { body: { slug: 'there', phase: 'PHASE_IDLE' } });
    expect(body).toMatchObject({ phase: 'idle' });
  });

  test('blocks while input is pending, tells progress, and returns with the event that ends it', async () => {
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

  test('several are waited for together, and answered in the order in which they were named', async () => {
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

  test('a caller that takes no event stream gets one plain answer', async () => {
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
  test('session_watch gives what the agent did, watch what Murmur decided; both end with the agent', async () => {
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

  test('an empty or wrong event id is INVALID_ARGUMENT', async () => {
    for (const from of ['', 'abc', '-1']) {
      const { status } = await api.post('/v1/session_watch', { body: { slug: 'streamed', from } });
      expect(status).toBe(400);
    }
    const { status } = await api.post('/v1/watch', { body: { slug: 'streamed' }, headers: { 'last-event-id': 'x' } });
    expect(status).toBe(400);
  });

  test('turns are put together from the log; a turn in flight has no end', async () => {
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

describe('kill', () => {
  test('waits for the end and returns the receipt; killing again is a no-op with a receipt', async () => {
    await spawnAgent('killed');
    expect(await api.client.call('kill', { slug: 'killed' })).toMatchObject({
      slug: 'killed',
      message: 'killed killed',
      receipt: [{ path: '/w/default/u/alice/killed', phase: 'canceled', machine_state: 'destroyed' }],
      cost_usd: 0.5,
    });
    const again = await api.client.call('kill', { slug: 'killed' });
    expect(again).toMatchObject({ message: 'killed killed', receipt: [{ phase: 'canceled' }] });
  });

  test('of an agent that was terminated by hand destroys its machine and leaves a record', async () => {
    const key = randomUUID();
    await api.client.call('spawn', { slug: 'left', description: 'x', secrets: { A: 'b' } }, { idempotencyKey: key });
    await api.parts.temporal.workflow.getHandle(idOf('left')).terminate();
    const { receipt } = await api.client.call('kill', { slug: 'left' });
    const machine = machineName(idOf('left'), key);
    expect(receipt).toMatchObject([{ phase: 'canceled', machine, machine_state: 'destroyed' }]);
    expect(api.destroyed).toContain(machine);
    expect(await api.parts.secrets.get(secretsRef(idOf('left'), key))).toEqual({});
    expect(await api.client.call('status', { slug: 'left' })).toMatchObject({ phase: 'canceled' });
  });
});

test('ready says that Temporal answers and a worker polls', async () => {
  const ready = await fetch(`${api.url}/ready`);
  expect(await ready.json()).toEqual({ status: 'ok', checks: { temporal: 'ok', worker: 'ok' } });
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Visibility follows the start of a workflow after a moment. */
async function listed(workspace: string, count: number): Promise<void> {
  const deadline = Date.now() + 30_000;
  while ((await api.client.call('ls', { workspace })).length < count) {
    if (Date.now() > deadline) throw new Error('the agents are not listed');
  }
}

async function putRecord(slug: string, phase: 'completed' | 'failed', workspace = 'default'): Promise<void> {
  const identity = { workspace, account: ACCOUNT, path: [slug] };
  const id = `w/${workspace}/u/${ACCOUNT}/${slug}`;
  const record = {
    status: {
      slug,
      workspace,
      account: ACCOUNT,
      path: `/${id}`,
      workflow: id,
      phase,
      phase_since: '2026-01-01T00:00:00Z',
      on_idle: 'keep_alive',
      dequeue_strategy: 'all',
      queued: [],
      branches: [],
      commits: 0,
      prs: [],
      cost: { total_usd: 2, by_model: {} },
      tasks: { total: 0, open: 0 },
      timeline: [
        { type: 'phase', phase: 'running', at: '2026-01-01T00:00:00Z' },
        { type: 'push', sha: 's', branch: 'b', repo: 'r', at: '2026-01-01T00:00:00Z' },
      ],
      created_at: '2026-01-01T00:00:00Z',
      pending_input: false,
    },
    tasks: [],
    spec: { identity, spawn_id: 'x', repos: [], session_id: '', backend: 'fake', created_at: '2026-01-01T00:00:00Z' },
  };
  await api.parts.objects.put(`agents/${id}/record.json`, JSON.stringify(record));
}
