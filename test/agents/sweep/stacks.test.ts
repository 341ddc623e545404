// The sweep on real local machines and stores in folders: of two installations on one host, under a Temporal with a new
// database, and after a worker was killed while it created a machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { namespaceIdOf } from '../../../agents/namespace-id.ts';
import { readRecord } from '../../../agents/record.ts';
import { sealSpec } from '../../../agents/sealed.ts';
import { startRootAgent } from '../../../agents/start.ts';
import { workflowIdOf } from '../../../contract/wire/identity.ts';
import { ownLabels } from '../../fixtures/sweep-bench.ts';
import { closedAgent, leaveReport, localSpec, sweepStack } from '../../fixtures/sweep-stack.ts';
import type { Stack } from '../../fixtures/sweep-stack.ts';
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

const stack = (host?: Stack): Promise<Stack> => sweepStack(temporal, host);

test('of two installations on one host, each ends its own machines alone, whatever it knows of the others', async () => {
  await using one = await stack();
  await using other = await stack(one);
  const [spec, of] = [await closedAgent(temporal), await closedAgent(temporal)];
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
  const [closed, recorded] = [await closedAgent(temporal), await closedAgent(temporal)];
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
  expect(await home.local.describe(spec.machine.name)).toMatchObject({ state: 'provisioning' });
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
  const spec = await closedAgent(temporal);
  await home.make(spec);
  await leaveReport(home.local, spec.machine.name);
  await home.round();
  expect(await home.names()).toEqual([]);
  expect(await readRecord(home.drivers, workflowIdOf(spec.identity))).toMatchObject({
    snapshot: expect.stringMatching(/manifest\.json$/),
  });
});
