import { describeObjectStore } from '../../../drivers/objects/conformance.ts';
import { createMemoryObjectStore } from '../../../drivers/objects/memory.ts';

describeObjectStore('memory', async () => ({
  store: createMemoryObjectStore(),
  [Symbol.asyncDispose]: async () => {},
}));
