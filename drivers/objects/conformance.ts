// What every object store must do. Run from test/ against each driver.
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import type { ObjectStore, ObjectStream } from './object-store.ts';

/** A store for one test; disposing closes it. */
export interface ObjectStoreUnderTest extends AsyncDisposable {
  readonly store: ObjectStore;
}

/** Declares the suite under the driver's name. */
export function describeObjectStore(name: string, create: () => Promise<ObjectStoreUnderTest>): void {
  describe(`object store: ${name}`, () => {
    it('returns the bytes that were put', async () => {
      await using test = await create();
      const bytes = Buffer.from([0, 255, 10, 13, 128]);
      await test.store.put('a/bytes', bytes);
      expect(await test.store.get('a/bytes')).toEqual(bytes);
      await test.store.put('a/text', 'grün');
      expect((await test.store.get('a/text'))?.toString()).toBe('grün');
      await test.store.put('a/empty', '');
      expect(await test.store.get('a/empty')).toEqual(Buffer.alloc(0));
    });

    it('returns undefined for an object that was never put', async () => {
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

    it('keeps one of two contents whole when both are put at once', async () => {
      await using test = await create();
      const contents = Array.from({ length: 20 }, (_, index) => String(index).repeat(10_000));
      await Promise.all(contents.map((content) => test.store.put('key', content)));
      expect(contents).toContain((await test.store.get('key'))?.toString());
      expect(await test.store.list('')).toEqual(['key']);
    });

    it('deletes an object, and does nothing for an absent one', async () => {
      await using test = await create();
      await test.store.put('a/b', 'x');
      await test.store.delete('a/b');
      await test.store.delete('a/b');
      expect(await test.store.get('a/b')).toBeUndefined();
      expect(await test.store.list('')).toEqual([]);
    });

    it('creates an object once, also for two concurrent calls', async () => {
      await using test = await create();
      const made = await Promise.all(['one', 'two'].map((content) => test.store.create('a/b', content)));
      expect(made.toSorted()).toEqual([false, true]);
      expect((await test.store.get('a/b'))?.toString()).toBe(made[0] === true ? 'one' : 'two');
      await test.store.delete('a/b');
      expect(await test.store.create('a/b', 'three')).toBe(true);
      expect(await test.store.list('')).toEqual(['a/b']);
    });

    it('lists the keys that begin with a prefix, sorted, also for a prefix that ends within a segment', async () => {
      await using test = await create();
      for (const key of ['b/2', 'b/10', 'b/1/deep', 'bc', 'a']) await test.store.put(key, key);
      expect(await test.store.list('')).toEqual(['a', 'b/1/deep', 'b/10', 'b/2', 'bc']);
      expect(await test.store.list('b')).toEqual(['b/1/deep', 'b/10', 'b/2', 'bc']);
      expect(await test.store.list('b/')).toEqual(['b/1/deep', 'b/10', 'b/2']);
      expect(await test.store.list('b/1')).toEqual(['b/1/deep', 'b/10']);
      expect(await test.store.list('z/')).toEqual([]);
    });

    it('stores an object whose key is a parent of another key', async () => {
      await using test = await create();
      await test.store.put('a', 'parent');
      await test.store.put('a/b', 'child');
      expect((await test.store.get('a'))?.toString()).toBe('parent');
      expect((await test.store.get('a/b'))?.toString()).toBe('child');
    });

    it.each(['', '/', 'a//b', '/a', 'a/', '.', '..', '../x', 'a/../b', 'a\\b', 'a b', 'a\0b', 'ü', 'x'.repeat(1_001)])(
      'rejects the key %j',
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

    it('lists nothing for a prefix that leads out of the store', async () => {
      await using test = await create();
      await test.store.put('a', 'x');
      expect(await test.store.list('../')).toEqual([]);
      expect(await test.store.list('/etc/')).toEqual([]);
    });

    it('copies contents in and out', async () => {
      await using test = await create();
      const content = Buffer.from('original');
      await test.store.put('key', content);
      content.fill(0);
      (await test.store.get('key'))?.fill(0);
      expect((await test.store.get('key'))?.toString()).toBe('original');
    });

    it('writes and reads an object as a stream', async () => {
      await using test = await create();
      expect(await test.store.putStream('a/b', pieces('one ', 'two ', 'grün'))).toMatchObject({ bytes: 13 });
      expect((await test.store.get('a/b'))?.toString()).toBe('one two grün');
      const stream = await test.store.getStream('a/b');
      expect(stream?.bytes).toBe(13);
      expect(await textOf(stream)).toBe('one two grün');
      expect(await test.store.putStream('empty', pieces())).toMatchObject({ bytes: 0 });
      expect(await test.store.get('empty')).toEqual(Buffer.alloc(0));
      expect(await test.store.getStream('never')).toBeUndefined();
    });

    it('keeps the old object when a source fails, and throws its error', async () => {
      await using test = await create();
      await test.store.put('a/b', 'old');
      const broken = new Error('the sender has gone');
      await expect(test.store.putStream('a/b', failing(broken))).rejects.toBe(broken);
      await expect(test.store.putStream('a/new', failing(broken))).rejects.toBe(broken);
      expect((await test.store.get('a/b'))?.toString()).toBe('old');
      expect(await test.store.list('')).toEqual(['a/b']);
    });

    it('stores nothing when the source is destroyed without an error', async () => {
      await using test = await create();
      const source = new PassThrough();
      const upload = test.store.putStream('cut', source);
      source.write('half of ');
      source.destroy();
      await expect(upload).rejects.toThrow();
      expect(await test.store.get('cut')).toBeUndefined();
    });

    it.each(['replaced', 'deleted'])('streams one generation or fails when the object is %s meanwhile', async (how) => {
      await using test = await create();
      // More than the buffers of a stream hold.
      const [first, second] = ['a', 'b'].map((letter) => letter.repeat(2_000_000));
      const generation = await test.store.put('a', first ?? '');
      const stream = await test.store.getStream('a');
      expect(stream).toMatchObject({ bytes: 2_000_000, generation });
      const reading = stream?.content[Symbol.asyncIterator]();
      const begun = String((await reading?.next())?.value);
      await (how === 'replaced' ? test.store.put('a', second ?? '') : test.store.delete('a'));
      const rest = async (): Promise<string> => {
        let text = begun;
        for (let next = await reading?.next(); next?.done === false; next = await reading?.next()) text += next.value;
        return text;
      };
      expect([first, 'an error']).toContain(await rest().catch(() => 'an error'));
    });

    describe('generations', () => {
      it('are returned by every write and read, and change with each write', async () => {
        await using test = await create();
        const first = await test.store.put('a', 'same');
        expect(await test.store.read('a')).toEqual({ content: Buffer.from('same'), generation: first });
        const second = await test.store.put('a', 'same');
        const third = (await test.store.putStream('a', pieces('same'))).generation;
        const stream = await test.store.getStream('a');
        expect(stream?.generation).toBe(third);
        stream?.content.destroy();
        await test.store.delete('a');
        expect(await test.store.read('a')).toBeUndefined();
        await test.store.create('a', 'same');
        const fourth = (await test.store.read('a'))?.generation;
        expect(new Set([first, second, third, fourth]).size).toBe(4);
      });

      it('are a condition of writes: a write succeeds for the current generation and changes nothing for another', async () => {
        await using test = await create();
        const first = await test.store.put('a', 'one');
        const second = await test.store.put('a', 'two', { if: first });
        await expect(test.store.put('a', 'three', { if: first })).rejects.toEqual(REFUSAL);
        await expect(test.store.putStream('a', pieces('four'), { if: first })).rejects.toEqual(REFUSAL);
        await expect(test.store.put('a', 'five', { ifAbsent: true })).rejects.toEqual(REFUSAL);
        await expect(test.store.putStream('a', pieces('six'), { ifAbsent: true })).rejects.toEqual(REFUSAL);
        await expect(test.store.put('b', 'seven', { if: first })).rejects.toEqual(REFUSAL);
        expect(await test.store.read('a')).toMatchObject({ generation: second, content: Buffer.from('two') });
        await test.store.putStream('a', pieces('eight'), { if: second });
        await test.store.put('c', 'nine', { ifAbsent: true });
        await test.store.putStream('d', pieces('ten'), { ifAbsent: true });
        expect((await test.store.get('a'))?.toString()).toBe('eight');
        expect(await test.store.list('')).toEqual(['a', 'c', 'd']);
      });

      it('are a condition of deletes', async () => {
        await using test = await create();
        const first = await test.store.put('a', 'one');
        const second = await test.store.put('a', 'two');
        await expect(test.store.delete('a', { if: first })).rejects.toEqual(REFUSAL);
        expect((await test.store.get('a'))?.toString()).toBe('two');
        await test.store.delete('a', { if: second });
        await expect(test.store.delete('a', { if: second })).rejects.toEqual(REFUSAL);
        expect(await test.store.get('a')).toBeUndefined();
      });

      it('lose no change of concurrent writers that read, count up and write', async () => {
        await using test = await create();
        await test.store.put('count', '0');
        const countOn = async (): Promise<void> => {
          for (;;) {
            const { content, generation } = (await test.store.read('count')) ?? { content: '', generation: '' };
            try {
              await test.store.put('count', String(Number(content) + 1), { if: generation });
              return;
            } catch (error) {
              expect(error).toEqual(REFUSAL);
            }
          }
        };
        await Promise.all(Array.from({ length: 20 }, countOn));
        expect((await test.store.get('count'))?.toString()).toBe('20');
      }, 30_000);
    });

    describe('pages', () => {
      it('return every key once, in the order of the list, for any page size', async () => {
        await using test = await create();
        const keys = ['a', 'a-b', 'a.b', 'a/b', 'a/b/c', 'a0', 'b/1', 'b/2/x', 'b-1/y', 'bc'];
        for (const key of keys.toReversed()) await test.store.put(key, key);
        const sorted = keys.toSorted();
        for (const limit of [1, 2, 3, sorted.length, sorted.length + 1]) {
          const pages: string[][] = [];
          let after: string | undefined;
          do {
            const page = await test.store.page({ prefix: '', limit, ...(after === undefined ? {} : { after }) });
            pages.push([...page.keys]);
            after = page.next;
          } while (after !== undefined);
          expect(pages.flat()).toEqual(sorted);
          expect(pages).toHaveLength(Math.ceil(sorted.length / limit));
        }
        expect(await test.store.page({ prefix: 'b', after: 'b/1', limit: 1 })).toEqual({
          keys: ['b/2/x'],
          next: 'b/2/x',
        });
        expect(await test.store.page({ prefix: 'b/', after: 'a' })).toEqual({ keys: ['b/1', 'b/2/x'] });
        expect(await test.store.page({ prefix: 'z' })).toEqual({ keys: [] });
      });

      it('together give the list', async () => {
        await using test = await create();
        const keys = Array.from({ length: 1_100 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
        await Promise.all(keys.map((key) => test.store.put(key, '')));
        expect((await test.store.page({ prefix: 'many/' })).keys).toHaveLength(1_000);
        expect(await test.store.list('many/')).toEqual(keys);
      }, 30_000);

      it.each([0, -1, 1.5, 1_001])('reject a limit of %d', async (limit) => {
        await using test = await create();
        const refusal = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
        await expect(test.store.page({ prefix: '', limit })).rejects.toEqual(refusal);
      });
    });
  });
}

const REFUSAL = expect.objectContaining({ code: 'FAILED_PRECONDITION' });

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
