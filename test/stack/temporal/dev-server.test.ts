import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../config/config.ts';
import { SEARCH_ATTRIBUTES } from '../../../contract/wire/messages.ts';
import { devServerArgs, readDevServer } from '../../../stack/temporal/dev-server.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

describe('temporal-dev.yaml', () => {
  it('registers exactly the search attributes that agents set', async () => {
    const { search_attributes: attributes } = await readDevServer(ROOT);
    expect(Object.keys(attributes).sort()).toEqual(Object.values(SEARCH_ATTRIBUTES).sort());
    expect(attributes['MurmurRepo']).toBe('KeywordList');
  });

  it('has the default ports of the configuration', async () => {
    const home = await mkdtemp(join(tmpdir(), 'murmur-ports-'));
    const config = await loadConfig({ MURMUR_HOME: home, PATH: '' }, { cwd: home });
    const { ports } = await readDevServer(ROOT);
    expect(ports).toEqual({ grpc: config.ports.temporal, ui: config.ports.temporalUi });
    await rm(home, { recursive: true });
  });

  it('gives a command line on loopback with the pragmas and eager activities', async () => {
    const description = await readDevServer(ROOT);
    const args = devServerArgs(description, { grpc: 1, ui: 2, http: 3, metrics: 4 }, '/db').join(' ');
    for (const part of [
      'server start-dev --ip 127.0.0.1 --db-filename /db --namespace default --port 1 --ui-port 2',
      '--sqlite-pragma journal_mode=wal --sqlite-pragma synchronous=normal',
      '--dynamic-config-value system.enableActivityEagerExecution=true',
      '--search-attribute MurmurRepo=KeywordList',
    ]) {
      expect(args).toContain(part);
    }
  });

  it('is rejected with file and key when it has an unknown key', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'murmur-yaml-'));
    await writeFile(join(folder, 'temporal-dev.yaml'), 'namespace: a\nnamespaces: [b]\n');
    await expect(readDevServer(folder)).rejects.toThrow(/temporal-dev\.yaml: unknown key "namespaces", no ports/);
    await rm(folder, { recursive: true });
  });
});
