// Files that an earlier build wrote to disk are readable by today's code, as after an upgrade.
import { existsSync } from 'node:fs';
import { plannedSpec } from '../../agents/fanouts/spec.ts';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPlanReader } from '../../activities/fanout/plan.ts';
import { createFlightActivities } from '../../activities/flight/flight.ts';
import { fetchSnapshot } from '../../agents/snapshots.ts';
import { homePaths } from '../../config/home.ts';
import type { HomePaths } from '../../config/home.ts';
import type { AgentRecord, AgentSpec } from '../../contract/wire/agent.ts';
import { flightIdOf } from '../../contract/wire/flight/messages.ts';
import { parseWorkflowId } from '../../contract/wire/identity.ts';
import { recordKey } from '../../contract/wire/object-keys.ts';
import type { RunnerAddress, RunnerConfig, RunnerHostRecord } from '../../contract/wire/runner.ts';
import { AGENT_TOKEN } from '../../contract/wire/tokens.ts';
import { sealSpec } from '../../agents/sealed.ts';
import { createFileEventLog } from '../../drivers/events/file.ts';
import { createFakeProvider } from '../../drivers/machines/fake.ts';
import { lastTurnIn } from '../../drivers/machines/last-turn.ts';
import { readRecord as readMachine } from '../../drivers/machines/local/record.ts';
import { readRunnerFile } from '../../drivers/machines/local/runner-files.ts';
import { createDirectoryObjectStore } from '../../drivers/objects/directory.ts';
import { createDirectorySecretStore } from '../../drivers/secrets/directory.ts';
import { createDirectoryTokenStore } from '../../drivers/tokens/directory.ts';
import { Journal } from '../../runner/journal/journal.ts';
import { machinePaths } from '../../runner/machine-paths.ts';
import { readManifest } from '../../runner/snapshot/manifest.ts';
import { TurnRecords } from '../../runner/turns/turn-records.ts';
import { readRecord as readStack } from '../../stack/record.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';
import { attempt } from '../fixtures/activity-bench.ts';
import { agentSpec } from '../fixtures/agent-spec.ts';
import { TEST_KEY } from '../fixtures/signing-key.ts';
import { keptBuilds } from './kept-inputs.ts';
import { creation } from '../fixtures/creation.ts';

describe.each(keptBuilds())('the files in a home of build %s', (build) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let home: HomePaths;
  beforeAll(async () => {
    folder = await temporaryFolder();
    // A copy, because some files are repaired when they are read.
    home = homePaths(join(folder.path, 'home'));
    await cp(join(import.meta.dirname, 'files', build), home.root, { recursive: true });
  });
  afterAll(async () => folder[Symbol.asyncDispose]());

  const objects = () => createDirectoryObjectStore(home.objects);
  const idOf = (...path: readonly string[]): string => ['w/default/u/root', ...path].join('/');

  async function machines() {
    const names = (await readdir(home.machines)).filter((name) => !name.startsWith('.'));
    const found = await Promise.all(
      names.map(async (name) => {
        const record = await readMachine(join(home.machines, name, 'machine.json'));
        return { record, paths: machinePaths(join(home.machines, name, 'runner')) };
      }),
    );
    expect(found.length).toBeGreaterThan(0);
    return found;
  }

  it('stack.json names the API server and the running processes', async () => {
    expect(await readStack(home)).toMatchObject({
      state: 'ready',
      supervisor: { pid: expect.any(Number), started: expect.any(String) },
      server: { url: expect.stringMatching(/^http:/) },
      temporal: { address: expect.any(String), namespace: 'default', embedded: true },
      children: { temporal: expect.anything(), worker: expect.anything(), server: expect.anything() },
    });
  });

  it('machines name their agents and the addresses of their runners', async () => {
    for (const { paths, record } of await machines()) {
      expect(record).toMatchObject({ state: 'running', labels: { agent: expect.stringMatching(/^w\//) } });
      const config = await readRunnerFile<RunnerConfig>(paths.runner, 'config.json');
      // The isolation is written again for each runner.
      expect(config).toMatchObject({
        machine: record?.name,
        isolation: { machine: record?.name, uid: record?.uid },
      });
      // In config.json up to build b35f5f2, in address.json of each start since.
      const address = await readRunnerFile<RunnerAddress>(paths.runner, 'address.json');
      expect(config?.token ?? address?.token).toMatch(/^[0-9a-f]{64}$/);
      const host = await readRunnerFile<RunnerHostRecord>(paths.runner, 'host.json');
      expect(host).toMatchObject({ pid: expect.any(Number), port: expect.any(Number), token: expect.any(String) });
    }
  });

  it('the next runner continues the journals and turns of the last one', async () => {
    let ended = 0;
    for (const { paths } of await machines()) {
      const text = await readFile(paths.journal, 'utf8');
      const turn = lastTurnIn(Buffer.from(text));
      const journal = new Journal(paths.journal);
      expect([journal.seq, journal.unfinished?.turn_id]).toEqual([
        text.trim().split('\n').length,
        turn?.isOpen === true ? turn.id : undefined,
      ]);
      journal.close();
      if (turn?.isOpen !== false) continue;
      ended += 1;
      const record = new TurnRecords(paths.turns).get(turn.id);
      // The parked agent's model request was refused.
      const status = expect.stringMatching(/^(completed|api_error)$/);
      expect(record).toMatchObject({ state: 'ended', outcome: { status, response: expect.any(String) } });
    }
    expect(ended).toBeGreaterThan(0);
  });

  it('snapshots are found on the machine and in the object store', async () => {
    const spec: AgentSpec = { ...agentSpec(), identity: { workspace: 'default', account: 'root', path: ['worker'] } };
    const provider = createFakeProvider(join(folder.path, 'machines'));
    await provider.create({ name: spec.machine.name, labels: {} }, creation());
    const directory = await fetchSnapshot(objects(), spec, await provider.connect(spec.machine.name));
    const { manifest } = readManifest(directory ?? '');
    expect(manifest).toMatchObject({
      backend: 'claude',
      repos: [{ directory: 'price-list', bundle: expect.any(String) }],
    });
    for (const { paths } of await machines()) {
      // A machine in its first turn has no snapshot.
      for (const name of existsSync(paths.snapshots) ? await readdir(paths.snapshots) : []) {
        expect(readManifest(join(paths.snapshots, name)).manifest.session_id).toMatch(/^[0-9a-f-]{36}$/);
      }
    }
  });

  it('the event log has every event of an agent, numbered', async () => {
    const log = createFileEventLog(home.events);
    const entries = await log.read(idOf('worker'), 0, 1_000);
    expect(entries.map(({ id }) => id)).toEqual(entries.map((_, index) => index + 1));
    expect(entries.map(({ event }) => event.type)).toEqual(
      expect.arrayContaining(['phase', 'session_start', 'turn_start', 'tool_use', 'turn_complete']),
    );
    expect(await log.lastSeq(idOf('worker'), 'runner')).toBeGreaterThan(0);
  });

  it('the record of an ended agent is readable', async () => {
    const content = await objects().get(recordKey(idOf('rested')));
    const record = JSON.parse(content?.toString('utf8') ?? '{}') as AgentRecord;
    expect(record).toMatchObject({ status: { phase: 'canceled', vm: { state: 'gone' } }, spec: { backend: 'fake' } });
  });

  it('tokens and secrets of running agents are valid', async () => {
    const tokens = await createDirectoryTokenStore(home.tokenStore).list();
    expect(tokens.map(({ agent }) => agent)).toEqual(expect.arrayContaining([idOf('worker'), idOf('lead', 'kid')]));
    const secrets = createDirectorySecretStore(home.secrets);
    const refs = (await readdir(home.secrets)).filter((name) => name.startsWith('spawn-'));
    const values = await Promise.all(refs.map((name) => secrets.get(name.replace(/\.json$/, ''))));
    expect(values.map(({ [AGENT_TOKEN]: token }) => token)).toEqual(values.map(() => expect.stringMatching(/^mur_/)));
    expect(values).toContainEqual(expect.objectContaining({ DEPLOY_KEY: 'key-of-the-worker' }));
  });

  it('the plans of a flight and of a fan-out are readable', async () => {
    const keys = await objects().list('');
    const [flightKey] = keys.filter((key) => key.includes('/flights/'));
    const [planKey] = keys.filter((key) => key.startsWith('fanouts/'));
    const stores = {
      objects: objects(),
      secrets: createDirectorySecretStore(home.secrets),
      tokenStore: createDirectoryTokenStore(home.tokenStore),
      key: TEST_KEY,
    };
    const starter = { start: async () => undefined, countTree: async () => 0, rests: async () => false };
    const flights = createFlightActivities({ ...stores, starter, handover: new AbortController().signal });
    const [, pilotId = '', spawn = ''] = /^agents\/(.*)\/flights\/([^/]+)\.json$/.exec(flightKey ?? '') ?? [];
    const identity = parseWorkflowId(pilotId);
    if (identity === undefined) throw new Error(`${String(flightKey)} is no key of a flight`);
    // The worker seals the specs of running agents at its first start.
    const flight = { name: 'ship', key: flightKey ?? '' };
    await sealSpec(stores, { ...agentSpec({ identity, spawn_id: spawn }), flight });
    const caller = { workflow: flightIdOf(identity) };
    const stored = await attempt(flights.readFlight, { key: flightKey ?? '' }, caller).result;
    expect(stored.plan.nodes.map(({ slug }) => slug)).toEqual(['build', 'report']);
    const readPlan = createPlanReader(stores.objects);
    const plan = await attempt(async (input: { readonly plan: string }) => await readPlan(input.plan), {
      plan: planKey ?? '',
    }).result;
    expect(await plannedSpec(stores.objects, plan, 1)).toMatchObject({
      identity: { path: ['audit-b'] },
      machine: { provider: 'local' },
      slot: { index: 1 },
    });
  });
});
