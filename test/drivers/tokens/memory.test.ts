import { describeTokenStore } from '../../../drivers/tokens/conformance.ts';
import { createMemoryTokenStore } from '../../../drivers/tokens/memory.ts';

describeTokenStore('memory', async () => ({
  store: createMemoryTokenStore(),
  [Symbol.asyncDispose]: async () => {},
}));
