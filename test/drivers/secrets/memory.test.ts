import { describeSecretStore } from '../../../drivers/secrets/conformance.ts';
import { createMemorySecretStore } from '../../../drivers/secrets/memory.ts';

describeSecretStore('memory', async () => ({
  store: createMemorySecretStore(),
  [Symbol.asyncDispose]: async () => {},
}));
