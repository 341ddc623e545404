// Objects in memory, for tests.
import { checkObjectKey } from './object-key.ts';
import type { ObjectStore } from './object-store.ts';

/** A store that lives as long as the process. Contents are copied in and out. */
export function createMemoryObjectStore(): ObjectStore {
  const objects = new Map<string, Buffer>();
  return {
    async put(key, content) {
      checkObjectKey(key);
      objects.set(key, Buffer.from(content));
    },
    async get(key) {
      checkObjectKey(key);
      const content = objects.get(key);
      return content === undefined ? undefined : Buffer.from(content);
    },
    async delete(key) {
      checkObjectKey(key);
      objects.delete(key);
    },
    async list(prefix) {
      return [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    },
  };
}
