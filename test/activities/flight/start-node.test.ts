// The start of a flight's agent: what it inherits from its pilot, and the effect of a retry.
import { describe, expect, it } from '@jest/globals';
import { startNode } from '../../../activities/flight/start-node.ts';
import type { AgentSpec } from '../../../contract/wire/agent.ts';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { StartNodeInput } from '../../../contract/wire/flight/messages.ts';
import { recordKey } from '../../../contract/wire/object-keys.ts';
import { AGENT_TOKEN } from '../../../contract/wire/tokens.ts';
import { createMemoryObjectStore } from '../../../drivers/objects/memory.ts';
import { createMemorySecretStore } from '../../../drivers/secrets/memory.ts';
import { createMemoryTokenStore } from '../../../drivers/tokens/memory.ts';
import { agentSpec, withCredentials } from '../../fixtures/agent-spec.ts';
import { TEST_KEY } from '../../fixtures/signing-key.ts';

const PLAIN = agentSpec({
  identity: { workspace: 'default', account: 'tess', path: ['flight-ship'] },
  repos: [{ clone_url: 'https://example.com/app.git', base_branch: 'main', branch: 'murmur/default/tess/flight-ship' }],
  allow_repos: ['github.com/acme'],
  model: 'fake',
});
const PILOT = withCredentials(PLAIN, 'NPM_KEY');
const PILOT_SECRETS = PILOT.secrets?.ref ?? '';
const BUILD = 'w/default/u/tess/flight-ship/build';

async function bench(options: { readonly living?: number; readonly refusal?: MurmurError } = {}) {
  const objects = createMemoryObjectStore();
  const secrets = createMemorySecretStore();
  const tokenStore = createMemoryTokenStore();
  await secrets.put(PILOT_SECRETS, { NPM_KEY: 'k', [AGENT_TOKEN]: 'of the pilot' });
  const started: AgentSpec[] = [];
  const starter = {
    start: async (spec: AgentSpec) => {
      if (options.refusal !== undefined) throw options.refusal;
      started.push(spec);
    },
    countTree: async () => options.living ?? 1,
    rests: async () => false,
  };
  const ports = { objects, secrets, tokenStore, key: TEST_KEY, starter, handover: new AbortController().signal };
  const input: StartNodeInput & { readonly pilot: AgentSpec } = {
    pilot: PILOT,
    slug: 'build',
    spawn_id: 'spawn-1',
    session_id: 'session-1',
    created_at: '2026-11-21T08:00:00.000Z',
    prompt: 'Build.',
    purpose: 'build of the flight Ship',
    on_idle: 'terminate',
    tree_limit: 10,
  };
  const storedFor = async (spec: AgentSpec | undefined) => await secrets.get(spec?.secrets?.ref ?? 'none');
  return {
    objects,
    secrets,
    tokenStore,
    started,
    storedFor,
    start: (changes = {}) => startNode(ports, { ...input, ...changes }),
  };
}

describe('an agent of a flight', () => {
  it('gets the repositories, grants and secrets of its pilot, and its own branch and token', async () => {
    const { start, started, storedFor, tokenStore } = await bench();
    await start();
    const [spec] = started;
    expect(spec).toMatchObject({
      identity: { path: ['flight-ship', 'build'] },
      spawn_id: 'spawn-1',
      repos: [{ base_branch: 'main', branch: 'murmur/default/tess/flight-ship_build' }],
      allow_repos: ['github.com/acme'],
      backend: 'fake',
      on_idle: 'terminate',
      created_by: '/w/default/u/tess/flight-ship',
      for_flight: 'f/default/u/tess/flight-ship',
      prompt: { text: 'Build.' },
    });
    const { [AGENT_TOKEN]: token, ...rest } = await storedFor(spec);
    expect(rest).toEqual({ NPM_KEY: 'k' });
    expect(token).not.toBe('of the pilot');
    expect(await tokenStore.get(spec?.token_id ?? '')).toMatchObject({ agent: BUILD, account: 'tess' });
  });

  it('gets branch, model and wanted result from its node', async () => {
    const { start, started } = await bench();
    await start({ branch: 'release', model: 'opus', out: 'push' });
    expect(started[0]).toMatchObject({ repos: [{ branch: 'release' }], model: 'opus', backend: 'claude', out: 'push' });
  });

  it('keeps its token in a retry, and gets none after it has ended', async () => {
    const { objects, start, started, storedFor, secrets } = await bench();
    await start();
    const token = (await storedFor(started[0]))[AGENT_TOKEN];
    await start();
    expect((await storedFor(started[1]))[AGENT_TOKEN]).toBe(token);
    await secrets.delete(started[0]?.secrets?.ref ?? '');
    await objects.put(recordKey(BUILD), '{}');
    await start();
    expect(await storedFor(started[2])).toEqual({});
  });

  it('waits while its tree is full', async () => {
    const { start, started } = await bench({ living: 10 });
    await expect(start()).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(started).toEqual([]);
  });

  it('deletes everything that it stored if the start is refused permanently', async () => {
    const { start, secrets, tokenStore, started } = await bench({
      refusal: new MurmurError('ALREADY_EXISTS', 'taken'),
    });
    await expect(start({ prompt: 'x'.repeat(20_000) })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(started).toEqual([]);
    expect(await tokenStore.list()).toEqual([]);
    expect(await secrets.get(PILOT_SECRETS)).toMatchObject({ NPM_KEY: 'k' });
  });
});
