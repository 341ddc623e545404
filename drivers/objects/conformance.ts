// What every object store must do. Run from test/ against each driver.
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import type { ObjectStore, ObjectStream } from './object-store.ts';

/** A store for one test, and what ends it. */
export interface ObjectStoreUnderTest extends AsyncDisposable {
  readonly store: ObjectStore;
}

/** Declares the suite under the driver's name. */
export function describeObjectStore(name: string, create: () => Promise<ObjectStoreUnderTest>): void {
  describe(`object store: ${name}`, () => {
    it('gives back what was put, byte for byte', async () => {
      await using test = await create();
      const bytes = Buffer.from([0, 255, 10, 13, 128]);
      await test.store.put('a/bytes', bytes);
      expect(await test.store.get('a/bytes')).toEqual(bytes);
      await test.store.put('a/text', 'grün');
      expect((await test.store.get('a/text'))?.toString()).toBe('grün');
      await test.store.put('a/empty', '');
      expect(await test.store.get('a/empty')).toEqual(Buffer.alloc(0));
    });

    it('has undefined for an object that was never put', async () => {
      await using test = await create();
      expect(await test.store.get('never')).toBeUndefined();
      await test.store.put('a', 'x');
      expect(await test.store.get('a/b')).toBeUndefined();
    });

    it('replaces an object', async () => {
      await using test = await create();
      await test.store.put('key', 'a long first content');
      await test.store.put('key', 'second');
      expect((await test.store.get('key'))?.toString()).toBe('second');
    });

    it('keeps one whole content when two are put at once', async () => {
      await using test = await create();
      const contents = Array.from({ length: 20 }, (_, index) => String(index).repeat(10_000));
      await Promise.all(contents.map((content) => test.store.put('key', content)));
      expect(contents).toContain((await test.store.get('key'))?.toString());
      expect(await test.store.list('')).toEqual(['key']);
    });

    it('deletes an object, and again without complaint', async () => {
      await using test = await create();
      await test.store.put('a/b', 'x');
      await test.store.delete('a/b');
      await test.store.delete('a/b');
      expect(await test.store.get('a/b')).toBeUndefined();
      expect(await test.store.list('')).toEqual([]);
    });

    it('creates an object once, also when two ask at once', async () => {
      await using test = await create();
      const made = await Promise.all(['one', 'two'].map((content) => test.store.create('a/b', content)));
      expect(made.toSorted()).toEqual([false, true]);
      expect((await test.store.get('a/b'))?.toString()).toBe(made[0] === true ? 'one' : 'two');
      await test.store.delete('a/b');
      expect(await test.store.create('a/b', 'three')).toBe(true);
      expect(await test.store.list('')).toEqual(['a/b']);
    });

    it('lists the keys that begin with a prefix, sorted, whether or not it ends at a segment', async () => {
      await using test = await create();
      for (const key of ['b/2', 'b/10', 'b/1/deep', 'bc', 'a']) await test.store.put(key, key);
      expect(await test.store.list('')).toEqual(['a', 'b/1/deep', 'b/10', 'b/2', 'bc']);
      expect(await test.store.list('b')).toEqual(['b/1/deep', 'b/10', 'b/2', 'bc']);
      expect(await test.store.list('b/')).toEqual(['b/1/deep', 'b/10', 'b/2']);
      expect(await test.store.list('b/1')).toEqual(['b/1/deep', 'b/10']);
      expect(await test.store.list('z/')).toEqual([]);
    });

    it('holds an object whose key is the folder of another', async () => {
      await using test = await create();
      await test.store.put('a', 'parent');
      await test.store.put('a/b', 'child');
      expect((await test.store.get('a'))?.toString()).toBe('parent');
      expect((await test.store.get('a/b'))?.toString()).toBe('child');
    });

    it.each(['', '/', 'a//b', '/a', 'a/', '.', '..', '../x', 'a/../b', 'a\\b', 'a b', 'a\0b', 'ü', 'x'.repeat(1_001)])(
      'refuses the key %j',
      async (key) => {
        await using test = await create();
        const refusal = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
        await expect(test.store.put(key, 'x')).rejects.toEqual(refusal);
        await expect(test.store.create(key, 'x')).rejects.toEqual(refusal);
        await expect(test.store.get(key)).rejects.toEqual(refusal);
        await expect(test.store.delete(key)).rejects.toEqual(refusal);
        await expect(test.store.putStream(key, pieces('x'))).rejects.toEqual(refusal);
        await expect(test.store.getStream(key)).rejects.toEqual(refusal);
      },
    );

    it('lists nothing for a prefix that points out of the store', async () => {
      await using test = await create();
      await test.store.put('a', 'x');
      expect(await test.store.list('../')).toEqual([]);
      expect(await test.store.list('/etc/')).toEqual([]);
    });

    it('does not give out its own copy', async () => {
      await using test = await create();
      const content = Buffer.from('original');
      await test.store.put('key', content);
      content.fill(0);
      (await test.store.get('key'))?.fill(0);
      expect((await test.store.get('key'))?.toString()).toBe('original');
    });

    it('takes an object piece by piece and gives it back so', async () => {
      await using test = await create();
      expect(await test.store.putStream('a/b', pieces('one ', 'two ', 'grün'))).toBe(13);
      expect((await test.store.get('a/b'))?.toString()).toBe('one two grün');
      const stream = await test.store.getStream('a/b');
      expect(stream?.bytes).toBe(13);
      expect(await textOf(stream)).toBe('one two grün');
      expect(await test.store.putStream('empty', pieces())).toBe(0);
      expect(await test.store.get('empty')).toEqual(Buffer.alloc(0));
      expect(await test.store.getStream('never')).toBeUndefined();
    });

    it('keeps what was there when a source breaks off, and throws its error', async () => {
      await using test = await create();
      await test.store.put('a/b', 'old');
      const broken = new Error('the sender has gone');
      await expect(test.store.putStream('a/b', failing(broken))).rejects.toBe(broken);
      await expect(test.store.putStream('a/new', failing(broken))).rejects.toBe(broken);
      expect((await test.store.get('a/b'))?.toString()).toBe('old');
      expect(await test.store.list('')).toEqual(['a/b']);
    });

    it('goes on giving the content that was asked for when the object is replaced or deleted', async () => {
      await using test = await create();
      await test.store.put('a', 'first');
      const first = await test.store.getStream('a');
      await test.store.put('a', 'second');
      const second = await test.store.getStream('a');
      await test.store.delete('a');
      expect(await textOf(first)).toBe('first');
      expect(await textOf(second)).toBe('second');
    });
  });
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  yield* pieces('half of ');
  throw error;
}

async function textOf(stream: ObjectStream | undefined): Promise<string | undefined> {
  return stream === undefined ? undefined : (await buffer(stream.content)).toString();
}
