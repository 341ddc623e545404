// What every event log must do. Run from test/ against each driver.
import { describe, expect, it } from '@jest/globals';
import type { LogEntry } from '../../contract/wire/events.ts';
import { AGENT, followed, notes } from './conformance-fixture.ts';
import type { EventLogUnderTest } from './conformance-fixture.ts';
import { retentionConformance } from './conformance-retention.ts';

/** Declares the suite under the driver's name. */
export function describeEventLog(name: string, create: () => Promise<EventLogUnderTest>): void {
  describe(`event log: ${name}`, () => {
    describe('append and read', () => {
      it('reads back what was appended, with ids from 1', async () => {
        await using test = await create();
        expect(await test.log.append(AGENT, 'runner', notes(1, 3, 'zwölf\n"\u2028'))).toBe(3);
        const entries = await test.log.read(AGENT, 0, 10);
        expect(entries).toEqual(
          notes(1, 3, 'zwölf\n"\u2028').map((event, index) => ({ ...event, source: 'runner', id: index + 1 })),
        );
      });

      it('has no entries for an agent without events', async () => {
        await using test = await create();
        expect(await test.log.read(AGENT, 0, 10)).toEqual([]);
        expect(await test.log.tail(AGENT, 10)).toEqual([]);
        expect(await test.log.lastSeq(AGENT, 'runner')).toBe(0);
        expect(await test.log.append(AGENT, 'runner', [])).toBe(0);
      });

      it('counts sequence numbers per source and ids across both sources', async () => {
        await using test = await create();
        await test.log.append(AGENT, 'runner', notes(1, 2));
        await test.log.append(AGENT, 'workflow', notes(1, 1));
        await test.log.append(AGENT, 'runner', notes(3, 3));
        const entries = await test.log.read(AGENT, 0, 10);
        expect(entries.map(({ id, source, seq }) => [id, source, seq])).toEqual([
          [1, 'runner', 1],
          [2, 'runner', 2],
          [3, 'workflow', 1],
          [4, 'runner', 3],
        ]);
        expect(await test.log.lastSeq(AGENT, 'runner')).toBe(3);
        expect(await test.log.lastSeq(AGENT, 'workflow')).toBe(1);
      });

      it('drops an event whose number it has and keeps the first content', async () => {
        await using test = await create();
        await test.log.append(AGENT, 'runner', notes(1, 3, 'first'));
        expect(await test.log.append(AGENT, 'runner', notes(2, 5, 'second'))).toBe(5);
        expect(await test.log.append(AGENT, 'runner', notes(1, 5, 'third'))).toBe(5);
        const entries = await test.log.read(AGENT, 0, 10);
        expect(entries.map(({ event }) => (event.type === 'note' ? event.text : ''))).toEqual([
          'first 1',
          'first 2',
          'first 3',
          'second 4',
          'second 5',
        ]);
      });

      it('rejects a batch with a gap in its numbers and appends none of it', async () => {
        await using test = await create();
        await test.log.append(AGENT, 'runner', notes(1, 2));
        const refusal = expect.objectContaining({ code: 'FAILED_PRECONDITION' });
        await expect(test.log.append(AGENT, 'runner', notes(4, 4))).rejects.toEqual(refusal);
        await expect(test.log.append(AGENT, 'runner', [...notes(3, 3), ...notes(5, 5)])).rejects.toEqual(refusal);
        await expect(test.log.append(AGENT, 'workflow', notes(2, 2))).rejects.toEqual(refusal);
        expect(await test.log.read(AGENT, 0, 10)).toHaveLength(2);
      });

      it('reads page by page', async () => {
        await using test = await create();
        await test.log.append(AGENT, 'runner', notes(1, 10));
        expect((await test.log.read(AGENT, 0, 4)).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
        expect((await test.log.read(AGENT, 8, 4)).map(({ id }) => id)).toEqual([9, 10]);
        expect(await test.log.read(AGENT, 10, 4)).toEqual([]);
        expect(await test.log.read(AGENT, 99, 4)).toEqual([]);
        expect(await test.log.read(AGENT, 0, 0)).toEqual([]);
      });

      it('returns the newest entries in order', async () => {
        await using test = await create();
        await test.log.append(AGENT, 'runner', notes(1, 10));
        expect((await test.log.tail(AGENT, 3)).map(({ id }) => id)).toEqual([8, 9, 10]);
        expect(await test.log.tail(AGENT, 99)).toHaveLength(10);
        expect(await test.log.tail(AGENT, 0)).toEqual([]);
      });

      it('keeps the entries of different agents apart, also of a parent and its child', async () => {
        await using test = await create();
        await test.log.append(AGENT, 'runner', notes(1, 1, 'parent'));
        await test.log.append(`${AGENT}/kid`, 'runner', notes(1, 2, 'kid'));
        await test.log.append('another', 'runner', notes(1, 3, 'another'));
        expect(await test.log.read(AGENT, 0, 10)).toHaveLength(1);
        expect(await test.log.read(`${AGENT}/kid`, 0, 10)).toHaveLength(2);
        expect(await test.log.read('another', 0, 10)).toHaveLength(3);
      });

      it('counts each event once when the same batches are appended concurrently', async () => {
        await using test = await create();
        const batches = Array.from({ length: 20 }, (_, index) => notes(1, index + 1));
        await Promise.allSettled(batches.map((batch) => test.log.append(AGENT, 'runner', batch)));
        expect((await test.log.read(AGENT, 0, 100)).map(({ id, seq }) => [id, seq])).toEqual(
          notes(1, 20).map(({ seq }) => [seq, seq]),
        );
      });

      it('holds 5,000 events of 1,000 characters', async () => {
        await using test = await create();
        for (let seq = 1; seq <= 5_000; seq += 50) {
          await test.log.append(AGENT, 'runner', notes(seq, seq + 49, 'x'.repeat(1_000)));
        }
        expect((await test.log.read(AGENT, 0, 6_000)).map(({ id }) => id)).toEqual(
          notes(1, 5_000).map(({ seq }) => seq),
        );
        for (const after of [0, 1, 1_234, 2_500, 4_999]) {
          expect((await test.log.read(AGENT, after, 1))[0]).toMatchObject({ id: after + 1, seq: after + 1 });
        }
        expect((await test.log.tail(AGENT, 2)).map(({ seq }) => seq)).toEqual([4_999, 5_000]);
      });
    });

    describe('follow', () => {
      it('gives the existing entries and then each new one', async () => {
        await using test = await create();
        await test.log.append(AGENT, 'runner', notes(1, 2));
        const entries = followed(test.log, AGENT, 0, 4);
        await test.log.append(AGENT, 'workflow', notes(1, 1));
        await test.log.append(AGENT, 'runner', notes(3, 3));
        expect((await entries).map(({ id, source }) => [id, source])).toEqual([
          [1, 'runner'],
          [2, 'runner'],
          [3, 'workflow'],
          [4, 'runner'],
        ]);
      });

      it('begins after the given entry', async () => {
        await using test = await create();
        await test.log.append(AGENT, 'runner', notes(1, 5));
        expect((await followed(test.log, AGENT, 3, 2)).map(({ id }) => id)).toEqual([4, 5]);
      });

      it('waits for the first entry of an agent without a log', async () => {
        await using test = await create();
        const entries = followed(test.log, AGENT, 0, 1);
        await test.log.append(AGENT, 'runner', notes(1, 1));
        expect(await entries).toHaveLength(1);
      });

      it('gives every follower each entry once and in order while others append', async () => {
        await using test = await create();
        const followers = [0, 0, 10].map((after) => followed(test.log, AGENT, after, 300 - after));
        for (let seq = 1; seq <= 300; seq += 1) await test.log.append(AGENT, 'runner', notes(seq, seq));
        for (const [index, entries] of (await Promise.all(followers)).entries()) {
          const after = index === 2 ? 10 : 0;
          expect(entries.map(({ id }) => id)).toEqual(notes(after + 1, 300).map(({ seq }) => seq));
        }
      });

      it('receives each entry as soon as it is appended', async () => {
        await using test = await create();
        const abort = new AbortController();
        const entries = test.log.follow(AGENT, 0, abort.signal)[Symbol.asyncIterator]();
        // Each round waits for the one before: a driver that only polls would exceed the test's time limit.
        for (let seq = 1; seq <= 30; seq += 1) {
          const next = entries.next();
          await test.log.append(AGENT, 'runner', notes(seq, seq));
          expect((await next).value).toMatchObject({ id: seq });
        }
        abort.abort();
        expect(await entries.next()).toEqual({ done: true, value: undefined });
      }, 30_000);

      it('ends when the signal aborts, before it begins or while it waits', async () => {
        await using test = await create();
        const abort = new AbortController();
        const iterator = test.log.follow(AGENT, 0, abort.signal)[Symbol.asyncIterator]();
        const next = iterator.next();
        abort.abort();
        expect(await next).toEqual({ done: true, value: undefined });
        const late = test.log.follow(AGENT, 0, AbortSignal.abort())[Symbol.asyncIterator]();
        expect(await late.next()).toEqual({ done: true, value: undefined });
      });

      it('ends when the reader stops reading', async () => {
        await using test = await create();
        await test.log.append(AGENT, 'runner', notes(1, 2));
        const ids: number[] = [];
        for await (const entry of test.log.follow(AGENT, 0, new AbortController().signal)) {
          ids.push(entry.id);
          break;
        }
        expect(ids).toEqual([1]);
      });
    });

    retentionConformance(create);

    it('ends its followers when it is disposed', async () => {
      await using test = await create();
      await test.log.append(AGENT, 'runner', notes(1, 1));
      const follow = (after: number): AsyncIterator<LogEntry> =>
        test.log.follow(AGENT, after, new AbortController().signal)[Symbol.asyncIterator]();
      const [waiting, between] = [follow(1), follow(0)];
      const next = waiting.next();
      expect((await between.next()).done).toBe(false);
      await test.log[Symbol.asyncDispose]();
      expect(await next).toEqual({ done: true, value: undefined });
      expect(await between.next()).toEqual({ done: true, value: undefined });
    });
  });
}
