import { expect, it } from '@jest/globals';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { discardSpawn, prepareSpawn } from '../../agents/start.ts';
import { readSealedSpec, sealSpec } from '../../agents/sealed.ts';
import { createMemoryObjectStore } from '../../drivers/objects/memory.ts';
import { createMemorySecretStore } from '../../drivers/secrets/memory.ts';
import { createMemoryTokenStore } from '../../drivers/tokens/memory.ts';
import { memoryStores } from '../fixtures/memory-ports.ts';
import { agentSpec, ofEarlierBuild, withCredentials } from '../fixtures/agent-spec.ts';
import { TEST_KEY } from '../fixtures/signing-key.ts';
import { gate } from '../fixtures/waiting.ts';

it('a spawn that cannot be sealed fails after its credentials are stored, so that they can be deleted', async () => {
  const [reached, go] = [gate(), gate()];
  const tokenStore = createMemoryTokenStore();
  const stores = {
    key: TEST_KEY,
    tokenStore,
    objects: { ...createMemoryObjectStore(), create: () => Promise.reject(new Error('no space')) },
    secrets: {
      ...createMemorySecretStore(),
      get: async () => {
        reached.open();
        await go.opened;
        return {};
      },
    },
  };
  const spec = withCredentials(agentSpec());
  const spawning = prepareSpawn(stores, spec, { secrets: {} }).catch(async (error: unknown) => {
    await discardSpawn(stores, spec);
    return error;
  });
  await reached.opened;
  // Without the wait, the failure would have been handled by now.
  await new Promise(setImmediate);
  go.open();
  expect(await spawning).toEqual(new Error('no space'));
  await new Promise(setImmediate);
  expect(await tokenStore.list()).toEqual([]);
});

it('a spawn is stored under the digest of what it decides before it starts, and another attempt starts the same', async () => {
  const stores = memoryStores();
  const plain = ofEarlierBuild(withCredentials(agentSpec()));
  const spec = await prepareSpawn(stores, plain, { secrets: {} });
  expect(spec).toEqual({ ...plain, seal: expect.stringMatching(/^[\w-]{22}$/) });
  expect(await readSealedSpec(stores, workflowIdOf(spec.identity), spec.spawn_id)).toEqual(spec);
  const again = { ...plain, session_id: 'of another attempt' };
  expect(await prepareSpawn(stores, again, { secrets: {} })).toEqual(spec);
  const other = await prepareSpawn(stores, { ...again, spawn_id: 'other' }, { secrets: {} });
  expect(other.seal).not.toBe(spec.seal);
});

it('a spawn that an earlier build has sealed starts as that build sealed it', async () => {
  const stores = memoryStores();
  const sealed = await sealSpec(stores, ofEarlierBuild(withCredentials(agentSpec())));
  expect(await prepareSpawn(stores, sealed, { secrets: {} })).toEqual(sealed);
});
