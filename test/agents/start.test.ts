import { expect, it } from '@jest/globals';
import { discardSpawn, prepareSpawn } from '../../agents/start.ts';
import { createMemoryObjectStore } from '../../drivers/objects/memory.ts';
import { createMemorySecretStore } from '../../drivers/secrets/memory.ts';
import { createMemoryTokenStore } from '../../drivers/tokens/memory.ts';
import { agentSpec, withCredentials } from '../fixtures/agent-spec.ts';
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
