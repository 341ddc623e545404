// `machine ls` and `machine rm`, on a real Temporal server without a worker, over machines in memory.
import { posix } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { machineName } from '../../agents/names.ts';
import { sealSpec } from '../../agents/sealed.ts';
import { createClient } from '../../client/index.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { absolutePathOf, workflowIdOf } from '../../contract/wire/identity.ts';
import { recordKey } from '../../contract/wire/object-keys.ts';
import type { StopReport } from '../../contract/wire/runner.ts';
import { createFakeProvider } from '../../drivers/machines/fake.ts';
import type { MachineProvider } from '../../drivers/machines/provider.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';
import { creation } from '../fixtures/creation.ts';
import { sharedTemporalForFile } from '../fixtures/temporal-for-file.ts';
import { ACCOUNT, startApi } from './fixtures/api.ts';
import { localSpec, machineBench } from './fixtures/machine-bench.ts';
import type { MachineBench } from './fixtures/machine-bench.ts';

jest.setTimeout(60_000);

const temporal = sharedTemporalForFile();

/** An agent that has been spawned and that no worker has prepared, as its machine needs to know it. */
async function spawnAgent({ api }: MachineBench): Promise<AgentSpec> {
  const spec = localSpec();
  const input = { slug: spec.identity.path.join('/'), description: 'x' };
  await api.client.call('spawn', input, { idempotencyKey: spec.spawn_id });
  return spec;
}

async function terminate({ identity }: AgentSpec): Promise<void> {
  await temporal.client.workflow.getHandle(workflowIdOf(identity)).terminate('by hand');
}

async function putRecord({ api }: MachineBench, spec: AgentSpec): Promise<void> {
  const record = {
    status: { path: absolutePathOf(spec.identity), phase: 'completed', reason: 'done' },
    tasks: [],
    spec,
  };
  await api.parts.objects.put(recordKey(workflowIdOf(spec.identity)), JSON.stringify(record));
}

test('ls shows whose each machine is, by name, and since when', async () => {
  await using each = await machineBench(temporal);
  const [living, closed] = [await spawnAgent(each), await spawnAgent(each)];
  const [forgotten, unknown, unsealed, old] = [localSpec(), localSpec(), localSpec(), localSpec()];
  await terminate(closed);
  for (const spec of [forgotten, unknown, old]) await sealSpec(each.api.parts, spec);
  await putRecord(each, forgotten);
  for (const spec of [living, closed, forgotten, unknown, unsealed]) await each.make(spec);
  await each.make(old, { stack: undefined, namespace: undefined });
  const { machines, ...rest } = await each.api.client.call('machine_ls', {});
  const row = ({ identity, machine: { name } }: AgentSpec, state: string, more: object = {}): unknown =>
    expect.objectContaining({ name, provider: 'local', state, agent: absolutePathOf(identity), ...more });
  expect(machines).toHaveLength(6);
  expect(machines).toEqual(
    expect.arrayContaining([
      row(living, 'owned', { spawned_at: expect.any(String) }),
      row(closed, 'pending'),
      row(forgotten, 'unowned', { spawned_at: forgotten.created_at }),
      row(unknown, 'orphaned', { reason: 'unknown_agent' }),
      row(unsealed, 'orphaned', { reason: 'not_sealed' }),
      row(old, 'orphaned', { reason: 'label_missing' }),
    ]),
  );
  expect(machines.map(({ name }) => name)).toEqual(await each.names());
  expect(rest).toEqual({ unreachable: [] });
  await terminate(living);
});

test("ls shows other people's machines when asked, those that name no agent always, and foreign ones never", async () => {
  await using each = await machineBench(temporal);
  const [own, bobs, nameless, foreign, elsewhere] = [
    localSpec(),
    localSpec('bob'),
    localSpec(),
    localSpec(),
    localSpec(),
  ];
  await each.make(own);
  await each.make(bobs);
  await each.make(nameless, { agent: undefined });
  await each.make(foreign, { stack: 'another-key' });
  await each.make(elsewhere, { namespace: 'another-id' });
  const listed = async (developer?: string): Promise<unknown> => {
    const input = developer === undefined ? {} : { developer };
    const { machines } = await each.api.client.call('machine_ls', input);
    return machines.map(({ name }) => name);
  };
  const sorted = (...specs: readonly AgentSpec[]): unknown => specs.map(({ machine }) => machine.name).toSorted();
  expect(await listed()).toEqual(sorted(own, nameless, elsewhere));
  expect(await listed('bob')).toEqual(sorted(bobs, nameless));
  expect(await listed('*')).toEqual(sorted(own, bobs, nameless, elsewhere));
  await expect(listed('a/b')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('a provider or host that cannot be asked is named, and the rest is listed and can be removed', async () => {
  const list: MachineProvider['list'] = async () =>
    await Promise.resolve({
      machines: [{ name: 'murmur-0000000b', zone: 'build-2', state: 'running', labels: {}, version: '' }],
      unreachable: [{ host: 'build-1', reason: new MurmurError('UNAVAILABLE', 'connection refused') }],
    });
  await using folder = await temporaryFolder();
  const ssh = { ...createFakeProvider(folder.path), name: 'ssh', list };
  const broken = { ...ssh, name: 'cloud', list: () => Promise.reject(new Error('quota')) };
  await using each = await machineBench(temporal, { ssh, broken });
  const spec = localSpec();
  const name = await each.make(spec);
  const { machines, unreachable } = await each.api.client.call('machine_ls', {});
  expect(machines).toMatchObject([{ name: 'murmur-0000000b', host: 'build-2' }, { name }].toSorted(byName));
  expect(unreachable).toEqual([
    { provider: 'ssh', host: 'build-1', error: 'connection refused' },
    { provider: 'cloud', error: 'quota' },
  ]);
  expect(await each.api.client.call('machine_rm', { name })).toMatchObject({ name });
  const { status, body } = await each.api.post('/v1/machine_rm', { body: { name } });
  expect(status).toBe(503);
  expect(body).toMatchObject({
    error: {
      message: `machine "${name}" was not found, and ssh build-1 cannot be asked`,
      hint: 'try again when it can be reached: connection refused',
    },
  });
});

function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : 1;
}

test('rm refuses the machine of a living agent, and one whose end is pending, and names the agent', async () => {
  await using each = await machineBench(temporal);
  const spec = await spawnAgent(each);
  const name = await each.make(spec);
  const path = absolutePathOf(spec.identity);
  const refusal = {
    code: 'FAILED_PRECONDITION',
    hint: `\`murmur kill ${path}\` ends the agent with its machine`,
    details: { agent: path },
  };
  await expect(each.api.client.call('machine_rm', { name })).rejects.toMatchObject({
    ...refusal,
    message: `machine ${name} belongs to agent "${path}", which is alive`,
  });
  await terminate(spec);
  await expect(each.api.client.call('machine_rm', { name })).rejects.toMatchObject({
    ...refusal,
    message: `agent "${path}" has ended, and its end takes machine ${name} along`,
  });
  expect(await each.names()).toEqual([name]);
});

test('rm ends an orphaned machine as every end does: last snapshot, token, secrets, record and log', async () => {
  await using each = await machineBench(temporal);
  const { parts, client } = each.api;
  const spec = localSpec();
  await sealSpec(parts, spec);
  const name = await each.make(spec);
  // What its runner left when it was stopped.
  await using machine = await each.provider.connect(name);
  const directory = posix.join(machine.paths.runner, 'snapshot');
  await machine.put(posix.join(directory, 'transcript.jsonl'), '{}');
  const last: StopReport = { events: [], snapshot: { directory, files: ['transcript.jsonl'], seq: 1 } };
  await machine.put(posix.join(machine.paths.runner, 'last.json'), JSON.stringify(last));
  const agent = absolutePathOf(spec.identity);
  expect(await client.call('machine_rm', { name })).toEqual({
    name,
    provider: 'local',
    agent,
    message: `removed ${name}; a last snapshot was taken and is kept`,
    snapshot: expect.stringMatching(/manifest\.json$/),
    new_snapshot: true,
    problems: [],
  });
  expect(await each.names()).toEqual([]);
  expect(await client.call('status', { slug: agent })).toMatchObject({
    phase: 'canceled',
    reason: 'its machine was removed by alice',
    vm: { state: 'gone' },
  });
  const events = await parts.events.read(agent.slice(1), 0, 10);
  expect(events.map(({ event }) => event)).toMatchObject([{ type: 'phase', phase: 'canceled' }]);
});

test('rm ends an unowned machine and leaves the record of its agent as it is', async () => {
  await using each = await machineBench(temporal);
  const spec = localSpec();
  await sealSpec(each.api.parts, spec);
  await putRecord(each, spec);
  const name = await each.make(spec);
  expect(await each.api.client.call('machine_rm', { name })).toMatchObject({
    message: `removed ${name}; there is no snapshot of its work (no last snapshot: its runner did not answer)`,
    new_snapshot: false,
  });
  expect(await each.names()).toEqual([]);
  const record = await each.api.parts.objects.get(recordKey(workflowIdOf(spec.identity)));
  expect(JSON.parse(record?.toString() ?? '')).toMatchObject({ status: { phase: 'completed', reason: 'done' } });
});

test('rm says what hindered the last snapshot', async () => {
  await using each = await machineBench(temporal);
  const spec = localSpec();
  await sealSpec(each.api.parts, spec);
  const name = await each.make(spec);
  Object.assign(each.provider, { connect: () => Promise.reject(new Error('no way there')) });
  expect(await each.api.client.call('machine_rm', { name })).toMatchObject({
    message: expect.stringContaining('no way there'),
    problems: ['agent was not ended in good order: Error: no way there'],
  });
  expect(await each.names()).toEqual([]);
});

test('rm destroys a machine whose labels prove nothing, and touches no agent', async () => {
  await using each = await machineBench(temporal);
  const spec = localSpec();
  const names = [await each.make(spec), await each.make(localSpec(), { agent: undefined })];
  for (const name of names) await each.api.client.call('machine_rm', { name });
  expect(await each.names()).toEqual([]);
  expect(await each.api.parts.objects.get(recordKey(workflowIdOf(spec.identity)))).toBeUndefined();
});

test('rm refuses machines of other installations, and knows none of other accounts or names', async () => {
  await using each = await machineBench(temporal);
  const [own, bobs, foreign] = [localSpec(), localSpec('bob'), localSpec()];
  const name = await each.make(own);
  await each.make(bobs);
  await each.make(foreign, { stack: 'another-key' });
  const before = await each.names();
  const rm = (machine: string): Promise<unknown> => each.api.client.call('machine_rm', { name: machine });
  await expect(rm(foreign.machine.name)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: `machine "${foreign.machine.name}" belongs to another installation of Murmur`,
  });
  for (const unknown of [bobs.machine.name, machineName('w/default/u/alice/nobody', 's'), `${name}x`]) {
    await expect(rm(unknown)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `machine "${unknown}" not found`,
      hint: `your machines: ${name}`,
    });
  }
  expect(await each.names()).toEqual(before);
});

test('agents neither list nor remove machines', async () => {
  await using each = await machineBench(temporal);
  const entry = { id: 'agent-x', account: ACCOUNT, agent: `w/default/u/${ACCOUNT}/x`, created_at: '2026-01-01' };
  for (const rights of [{}, { rights: 'owner' as const }]) {
    const token = await mintToken(each.api.parts.tokenStore, { ...entry, ...rights });
    const agent = createClient({ url: each.api.url, token });
    await expect(agent.call('machine_ls', {})).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await expect(agent.call('machine_rm', { name: 'm' })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  }
});

test('while Temporal is gone nothing is said of machines, and none is removed', async () => {
  await using folder = await temporaryFolder();
  const local = { ...createFakeProvider(folder.path), name: 'local' };
  await local.create({ name: 'murmur-0000000c', labels: {} }, creation());
  await using api = await startApi({ timing: { temporalCall: 500 }, parts: { machines: { local } } });
  for (const operation of ['machine_ls', 'machine_rm']) {
    const input = operation === 'machine_rm' ? { name: 'murmur-0000000c' } : {};
    const { status, body } = await api.post(`/v1/${operation}`, { body: input });
    expect(status).toBe(503);
    expect(body).toMatchObject({ error: { code: 'UNAVAILABLE' } });
  }
  expect((await local.list()).machines).toHaveLength(1);
});
