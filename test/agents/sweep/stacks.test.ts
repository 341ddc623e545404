// The sweep on real local machines and stores in folders: of two installations on one host, under a Temporal with a new
// database, and after a worker was killed while it created a machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { namespaceIdOf } from '../../../agents/namespace-id.ts';
import { readRecord } from '../../../agents/record.ts';
import { sealSpec } from '../../../agents/sealed.ts';
import { startRootAgent } from '../../../agents/start.ts';
import { homePaths, makeHome } from '../../../config/home.ts';
import { loadHostSettings } from '../../../config/host-settings.ts';
import type { AgentSpec } from '../../../contract/wire/agent.ts';
import { workflowIdOf } from '../../../contract/wire/identity.ts';
import type { StopReport } from '../../../contract/wire/runner.ts';
import { findRunner } from '../../../drivers/machines/runner-process.ts';
import { openPlatform } from '../../../drivers/platform.ts';
import type { Platform } from '../../../drivers/platform.ts';
import { temporaryFolder } from '../../drivers/temporary-folder.ts';
import { agentSpec } from '../../fixtures/agent-spec.ts';
import { creation } from '../../fixtures/creation.ts';
import { ownLabels, sweepOnce } from '../../fixtures/sweep-bench.ts';
import { sharedTemporalForFile } from '../../fixtures/temporal-for-file.ts';
import { startTemporalServer } from '../../fixtures/temporal-server.ts';
import type { TemporalServer } from '../../fixtures/temporal-server.ts';

jest.setTimeout(120_000);

const CREATING = join(import.meta.dirname, '../../fixtures/creating-process.ts');

const temporal = sharedTemporalForFile();
let anew: TemporalServer;
let connection: Connection;
let emptied: { readonly client: Client };
beforeAll(async () => {
  anew = await startTemporalServer();
  connection = await Connection.connect({ address: anew.address });
  emptied = { client: new Client({ connection, namespace: anew.namespace }) };
}, 180_000);
afterAll(async () => {
  await connection.close();
  await anew[Symbol.asyncDispose]();
}, 60_000);

interface Stack extends AsyncDisposable {
  readonly drivers: Platform & Parameters<typeof sweepOnce>[1];
  readonly machines: string;
  readonly problems: unknown[];
  round(on?: { readonly client: Client }): Promise<void>;
  names(): Promise<readonly string[]>;
  make(spec: AgentSpec): Promise<void>;
}

/** A MURMUR_HOME of its own; with `host`, its machines lie among those of another one. */
async function stack(host?: Stack): Promise<Stack> {
  const folder = await temporaryFolder();
  const paths = homePaths(join(folder.path, 'home'));
  makeHome(paths);
  const home = host === undefined ? paths : { ...paths, machines: host.machines };
  await mkdir(home.machines, { recursive: true });
  const platform = await openPlatform(
    {
      home,
      hostId: folder.path,
      host: await loadHostSettings(home, folder.path),
      isolation: 'auto',
      claude: undefined,
      signingKeyFile: undefined,
    },
    process.env,
  );
  const drivers = {
    ...platform,
    runners: { find: findRunner, ensure: () => Promise.reject(new Error('no sweep starts a runner')) },
    report: () => undefined,
  };
  const { local } = platform.machines;
  if (local === undefined) throw new Error('every host has it');
  const problems: unknown[] = [];
  const names = async (): Promise<readonly string[]> =>
    (await local.list()).machines.map(({ name }) => name).toSorted();
  return {
    drivers,
    machines: home.machines,
    problems,
    names,
    round: async (on = temporal) => await sweepOnce(on, drivers, problems),
    make: async (spec) => {
      await sealSpec(drivers, spec);
      const labels = await ownLabels(temporal, drivers, spec);
      await local.create({ name: spec.machine.name, labels }, creation());
    },
    [Symbol.asyncDispose]: async () => {
      for (const name of await names()) await local.destroy(name);
      await platform[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** An agent that has closed, and whose machine nobody has ended. */
async function closedAgent(): Promise<AgentSpec> {
  const spec = localSpec();
  await startRootAgent(temporal.client, `nobody-${spec.spawn_id}`, spec);
  await temporal.client.workflow.getHandle(workflowIdOf(spec.identity)).terminate('by hand');
  return spec;
}

function localSpec(): AgentSpec {
  const spec = agentSpec();
  return { ...spec, machine: { ...spec.machine, provider: 'local' } };
}

test('of two installations on one host, each ends its own machines alone, whatever it knows of the others', async () => {
  await using one = await stack();
  await using other = await stack(one);
  const [spec, of] = [await closedAgent(), await closedAgent()];
  await one.make(spec);
  await other.make(of);
  // All that speaks for the machine of the first one is its label.
  await sealSpec(other.drivers, spec);
  const both = [spec.machine.name, of.machine.name].toSorted();
  expect(await other.names()).toEqual(both);
  await other.round();
  expect(await one.names()).toEqual([spec.machine.name]);
  await one.round();
  expect(await one.names()).toEqual([]);
  expect(await readRecord(one.drivers, workflowIdOf(spec.identity))).toMatchObject({ status: { phase: 'canceled' } });
  expect(await readRecord(other.drivers, workflowIdOf(spec.identity))).toBeUndefined();
  expect([...one.problems, ...other.problems]).toEqual([]);
});

test('a Temporal that was set up anew under a full MURMUR_HOME has no machine ended', async () => {
  await using home = await stack();
  const [closed, recorded] = [await closedAgent(), await closedAgent()];
  await home.make(recorded);
  // The record of a kill that could not end the machine.
  await home.round();
  await home.make(recorded);
  await home.make(closed);
  const all = [closed.machine.name, recorded.machine.name].toSorted();
  expect(await namespaceIdOf(emptied.client)()).not.toBe(await namespaceIdOf(temporal.client)());
  await home.round(emptied);
  expect(await home.names()).toEqual(all);
  await home.round();
  expect(await home.names()).toEqual([]);
  expect(home.problems).toEqual([]);
});

test('what a killed worker has left of a machine is listed, kept while its agent lives, and ended after it', async () => {
  await using home = await stack();
  const spec = localSpec();
  await sealSpec(home.drivers, spec);
  await startRootAgent(temporal.client, `nobody-${spec.spawn_id}`, spec);
  const labels = JSON.stringify(await ownLabels(temporal, home.drivers, spec));
  const creating = spawn(process.execPath, [CREATING, home.machines, spec.machine.name, labels]);
  const gone = once(creating, 'exit');
  await Promise.race([once(creating.stdout, 'data'), gone]);
  creating.kill('SIGKILL');
  expect(await gone).toEqual([null, 'SIGKILL']);
  expect(await home.drivers.machines['local']?.describe(spec.machine.name)).toMatchObject({ state: 'provisioning' });
  await home.round();
  expect(await home.names()).toEqual([spec.machine.name]);
  await temporal.client.workflow.getHandle(workflowIdOf(spec.identity)).terminate('by hand');
  await home.round();
  expect(await home.names()).toEqual([]);
  expect(await readRecord(home.drivers, workflowIdOf(spec.identity))).toMatchObject({
    status: { vm: { state: 'gone' } },
  });
  expect(home.problems).toEqual([]);
});

test('the last snapshot that a runner has left on a real machine is kept', async () => {
  await using home = await stack();
  const spec = await closedAgent();
  await home.make(spec);
  const { local } = home.drivers.machines;
  if (local === undefined) throw new Error('every host has it');
  await using machine = await local.connect(spec.machine.name);
  const directory = join(machine.paths.runner, 'snapshot');
  await machine.put(join(directory, 'transcript.jsonl'), '{}');
  const last: StopReport = { events: [], snapshot: { directory, files: ['transcript.jsonl'], seq: 3 } };
  await machine.put(join(machine.paths.runner, 'last.json'), JSON.stringify(last));
  await home.round();
  expect(await home.names()).toEqual([]);
  expect(await readRecord(home.drivers, workflowIdOf(spec.identity))).toMatchObject({
    snapshot: expect.stringMatching(/manifest\.json$/),
  });
});
