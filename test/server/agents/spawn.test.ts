// Spawning and killing, with a stub workflow as the agent.
import { randomUUID } from 'node:crypto';
import { describe, expect, jest, test } from '@jest/globals';
import { machineName, secretsRef } from '../../../agents/names.ts';
import { idOf, stubAgentsForFile } from '../fixtures/stub-agents.ts';

jest.setTimeout(60_000);

const { agentClient, api, putRecord, received, sealedAs, spawnAgent } = stubAgentsForFile();

describe('spawn', () => {
  test('starts the agent with the complete spec, and answers with its address', async () => {
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

  test('a prompt of 1 MB arrives complete, by reference', async () => {
    const prompt = 'é'.repeat(500_000);
    await api.client.call('spawn', { slug: 'long', description: prompt });
    const { spec } = await received('long');
    expect(Buffer.byteLength(spec.prompt.text)).toBeLessThanOrEqual(16_384);
    expect(prompt.startsWith(spec.prompt.text)).toBe(true);
    const stored = await api.parts.objects.get(spec.prompt.ref ?? '');
    expect(stored?.toString('utf8') === prompt).toBe(true);
  });

  test('secrets are in the secret store; the history has only names and a reference', async () => {
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

  test('a running slug is ALREADY_EXISTS with a hint to queue add, and the rejected call stores nothing', async () => {
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

  test('a repeated spawn, as after a lost answer, gets the same answer', async () => {
    const key = randomUUID();
    const input = { slug: 'twice', description: 'x', secrets: { FOO: 'hunter2' } };
    const first = await api.client.call('spawn', input, { idempotencyKey: key });
    const kept = await api.parts.secrets.get(secretsRef(idOf('twice'), key));
    expect(kept).toEqual({ FOO: 'hunter2', MURMUR_TOKEN: expect.stringMatching(/^mur_agent-/) });
    expect(await api.client.call('spawn', input, { idempotencyKey: key })).toEqual(first);
    expect(first.vm).toBe(machineName(idOf('twice'), key));
    expect(await api.parts.secrets.get(secretsRef(idOf('twice'), key))).toEqual(kept);
    // A second spawn would have another session.
    expect((await sealedAs('twice', key))?.session_id).toBe((await received('twice')).spec.session_id);
  });

  test("an agent that repeats another caller's spawn is rejected, and changes nothing", async () => {
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

  test('the slug of an ended agent is FAILED_PRECONDITION that says how the agent ended', async () => {
    await spawnAgent('over');
    await api.client.call('kill', { slug: 'over' });
    await expect(spawnAgent('over')).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'agent "/w/default/u/alice/over" has ended: it is canceled',
    });
  });

  test('the slug of an agent of which only a record exists is FAILED_PRECONDITION too', async () => {
    await putRecord('recorded-spawn', 'completed');
    await expect(spawnAgent('recorded-spawn')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
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
