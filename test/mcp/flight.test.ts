// A flight over MCP: the MCP server reads its file. For an agent, that is on its own machine.
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeTools } from '../../contract/mcp.ts';
import { callApi } from '../../mcp/api.ts';
import { CliHarness } from '../cli/harness.ts';

const SOURCE = '# A\n## a\nx\n';

let folder: string;
let api: CliHarness;
beforeAll(async () => {
  api = await CliHarness.start();
  folder = await mkdtemp(join(await realpath(tmpdir()), 'murmur-mcp-flight-'));
  await mkdir(join(folder, '.murmur', 'flights'), { recursive: true });
  await writeFile(join(folder, '.murmur', 'flights', 'deploy.md'), SOURCE);
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true, force: true });
});

function spawn(input: Readonly<Record<string, unknown>>): Promise<unknown> {
  const env = { MURMUR_HOME: api.home, MURMUR_API_URL: api.url, MURMUR_TOKEN: 'mur_x' };
  const caller = { env, source: { cwd: folder }, version: '0', tools: describeTools() };
  return callApi(caller, 'spawn', input, { signal: AbortSignal.timeout(10_000), onProgress: () => undefined });
}

it('is sent with its text and its inputs', async () => {
  api.answer('spawn', { body: { slug: 'flight-deploy' } });
  await spawn({ flight: 'deploy.md', flight_inputs: { version: '2.1.0' } });
  expect(api.calls.at(-1)?.input).toMatchObject({
    flight: 'deploy.md',
    flight_source: SOURCE,
    flight_inputs: { version: '2.1.0' },
  });
});

it('outside of the folder is not read', async () => {
  const before = api.calls.length;
  await expect(spawn({ flight: '../../etc/passwd' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(api.calls).toHaveLength(before);
});

it('has a field for its file but none for its text in the tool', () => {
  const fields = Object.keys(describeTools().find(({ name }) => name === 'spawn')?.inputSchema.properties ?? {});
  expect(fields).toEqual(expect.arrayContaining(['flight', 'flight_inputs']));
  expect(fields).not.toContain('flight_source');
  expect(describeTools().map(({ name }) => name)).not.toContain('flight_approve');
});
