// Objects in memory, for tests.
import { Readable } from 'node:stream';
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
    async create(key, content) {
      checkObjectKey(key);
      if (objects.has(key)) return false;
      objects.set(key, Buffer.from(content));
      return true;
    },
    async get(key) {
      checkObjectKey(key);
      const content = objects.get(key);
      return content === undefined ? undefined : Buffer.from(content);
    },
    async putStream(key, source) {
      checkObjectKey(key);
      const pieces: Buffer[] = [];
      for await (const piece of source) pieces.push(Buffer.from(piece));
      const content = Buffer.concat(pieces);
      objects.set(key, content);
      return content.length;
    },
    async getStream(key) {
      checkObjectKey(key);
      const content = objects.get(key);
      if (content === undefined) return undefined;
      return { bytes: content.length, content: Readable.from([Buffer.from(content)], { objectMode: false }) };
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
