// Objects in memory, for tests.
import { Readable } from 'node:stream';
import { checkObjectKey } from './object-key.ts';
import type { ObjectStore, StoredObject, WriteCondition } from './object-store.ts';
import { checkCondition, everyKey, pageLimit, pageOf } from './pages.ts';

/** A store that lives as long as the process. Contents are copied in and out. */
export function createMemoryObjectStore(): ObjectStore {
  const objects = new Map<string, StoredObject>();
  let generations = 0;
  const keep = (key: string, content: Buffer, condition?: WriteCondition): StoredObject => {
    checkCondition(key, condition, objects.get(key)?.generation);
    generations += 1;
    const stored = { content, generation: String(generations) };
    objects.set(key, stored);
    return stored;
  };
  const store: ObjectStore = {
    async put(key, content, condition) {
      checkObjectKey(key);
      return keep(key, Buffer.from(content), condition).generation;
    },
    async create(key, content) {
      checkObjectKey(key);
      if (objects.has(key)) return false;
      keep(key, Buffer.from(content));
      return true;
    },
    get: async (key) => (await store.read(key))?.content,
    async read(key) {
      checkObjectKey(key);
      const stored = objects.get(key);
      return stored === undefined ? undefined : { ...stored, content: Buffer.from(stored.content) };
    },
    async putStream(key, source, condition) {
      checkObjectKey(key);
      const pieces: Buffer[] = [];
      for await (const piece of source) pieces.push(Buffer.from(piece));
      const { content, generation } = keep(key, Buffer.concat(pieces), condition);
      return { bytes: content.length, generation };
    },
    async getStream(key) {
      const stored = await store.read(key);
      if (stored === undefined) return undefined;
      const { content, generation } = stored;
      return { bytes: content.length, generation, content: Readable.from([content], { objectMode: false }) };
    },
    async delete(key, condition) {
      checkObjectKey(key);
      checkCondition(key, condition, objects.get(key)?.generation);
      objects.delete(key);
    },
    async page(request) {
      const { prefix, after = '' } = request;
      const limit = pageLimit(request);
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
      return pageOf(keys.slice(0, limit + 1), limit);
    },
    list: async (prefix) => await everyKey(store, prefix),
    [Symbol.asyncDispose]: async () => {},
  };
  return store;
}
