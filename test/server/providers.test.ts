// The memo of an agent names the provider of its machine. A memo of an earlier build names none, which means `local`.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { MurmurError } from '../../contract/wire/errors.ts';
import { createFakeProvider } from '../../drivers/machines/fake.ts';
import type { MachineProvider } from '../../drivers/machines/provider.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { createClient } from '../../client/index.ts';
import { creation } from '../fixtures/creation.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';
import { startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';
import { knownAgents } from './fixtures/known-agents.ts';

const known = knownAgents();
const connected: string[] = [];
let api: Api;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  folder = await temporaryFolder();
  const machines = { local: recording('local'), far: recording('far') };
  for (const provider of Object.values(machines)) {
    await provider.create({ name: 'murmur-0000000a', labels: { agent: idOf(provider.name) } }, creation());
  }
  api = await startApi({ parts: { temporal: known.client, machines } });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function idOf(slug: string): string {
  return `w/default/u/alice/${slug}`;
}

function recording(name: string): MachineProvider {
  return {
    ...createFakeProvider(`${folder.path}/${name}`),
    name,
    connect: async (machine) => {
      connected.push(`${name} ${machine}`);
      return await Promise.reject(new MurmurError('FAILED_PRECONDITION', 'seen'));
    },
  };
}

async function sharePort(slug: string, provider?: string): Promise<unknown> {
  known.agents.set(idOf(slug), { machine: 'murmur-0000000a', ...(provider === undefined ? {} : { provider }) });
  const entry = { id: `agent-${slug}`, account: 'alice', agent: idOf(slug), created_at: '2026-01-01' };
  const client = createClient({ url: api.url, token: await mintToken(api.parts.tokenStore, entry) });
  connected.splice(0);
  return await client.call('port_url', { port: 8_080 }).catch((error: unknown) => error);
}

it.each([
  ['far', 'far', 'far murmur-0000000a'],
  ['local', undefined, 'local murmur-0000000a'],
])('a port of the agent %s is checked on its own machine', async (slug, provider, machine) => {
  expect(await sharePort(slug, provider)).toMatchObject({ message: 'seen' });
  expect(connected).toEqual([machine]);
});

it('the error for a provider that is no longer configured names it and says what to do', async () => {
  expect(await sharePort('left', 'gone')).toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: 'machine provider "gone" is not configured here',
    hint: 'configure it again as long as it has machines; configured: local, far',
  });
  expect(connected).toEqual([]);
});

it('an agent reaches no machine of another agent that has the same name at another provider', async () => {
  expect(await sharePort('far', 'local')).toMatchObject({ code: 'PERMISSION_DENIED' });
  expect(connected).toEqual([]);
});
