import { describe, expect, it } from '@jest/globals';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { homePaths, type HomePaths } from '../../config/home.ts';
import { temporalSettings } from '../../config/temporal.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';

/** A file of build b35f5f2. */
const EARLIER = {
  version: '0.1.0',
  state: 'ready',
  supervisor: { pid: 14_945, started: 'ee2b01a4:133332' },
  message: 'ready',
  started_at: '2026-11-29T21:12:38.350Z',
  children: { temporal: { pid: 14_957, started: 'ee2b01a4:133346' } },
  temporal: {
    address: '127.0.0.1:7471',
    namespace: 'default',
    embedded: true,
    ui_url: 'http://127.0.0.1:7472',
    http_url: 'http://127.0.0.1:11020',
    metrics_url: 'http://127.0.0.1:15593',
  },
  server: { url: 'http://127.0.0.1:7470' },
};

describe('the settings of the embedded Temporal', () => {
  it('have no TLS and are open to the host in the file of an earlier build', async () => {
    await using folder = await temporaryFolder();
    const home = await writeStackFile(folder.path, EARLIER.temporal);
    const { connectionOptions, namespace, open } = await temporalSettings({}, home);
    expect([connectionOptions, namespace]).toEqual([{ address: '127.0.0.1:7471' }, 'default']);
    expect(open).toBe('it was started by an earlier version of Murmur');
  });

  it('contain the current certificates that the file names', async () => {
    await using folder = await temporaryFolder();
    const [ca, certificate, key] = ['ca', 'certificate', 'key'].map((name) => join(folder.path, name));
    const tls = { ca, certificate, key, server_name: 'name' };
    const home = await writeStackFile(folder.path, { address: '127.0.0.1:7471', namespace: 'n', embedded: true, tls });
    for (const content of ['old', 'new']) {
      for (const file of [ca, certificate, key]) await writeFile(file ?? '', content);
      const held = Buffer.from(content);
      const options = {
        address: '127.0.0.1:7471',
        tls: { serverRootCACertificate: held, clientCertPair: { crt: held, key: held }, serverNameOverride: 'name' },
      };
      expect(await temporalSettings({}, home)).toEqual({
        ...{ external: false, address: '127.0.0.1:7471', namespace: 'n', connectionOptions: options },
      });
    }
    await rm(key ?? '');
    expect(await temporalSettings({}, home)).toMatchObject({ connectionOptions: { address: '127.0.0.1:7471' } });
  });

  it('say why Temporal is open', async () => {
    await using folder = await temporaryFolder();
    const temporal = { address: '127.0.0.1:1', namespace: 'default', embedded: true, open: 'no namespaces' };
    expect((await temporalSettings({}, await writeStackFile(folder.path, temporal))).open).toBe('no namespaces');
  });
});

it.each([
  ['127.0.0.1:7233', {}, '127.0.0.1:7233 is on this host and asks for no certificate (TLS is off)'],
  ['localhost:7233', {}, 'localhost:7233 is on this host and asks for no certificate (TLS is off)'],
  ['[::1]:7233', {}, '[::1]:7233 is on this host and asks for no certificate (TLS is off)'],
  ['127.0.0.1:7233', { TEMPORAL_TLS: 'true' }, undefined],
  ['temporal.example:7233', {}, undefined],
])('a cluster at %s with %j is open: %s', async (address, env, open) => {
  await using folder = await temporaryFolder();
  const settings = await temporalSettings({ TEMPORAL_ADDRESS: address, ...env }, homePaths(folder.path));
  expect(settings.open).toBe(open);
});

async function writeStackFile(folder: string, temporal: object): Promise<HomePaths> {
  const home = homePaths(join(folder, 'home'));
  await mkdir(home.root, { recursive: true });
  await writeFile(home.stackFile, JSON.stringify({ ...EARLIER, temporal }));
  return home;
}
