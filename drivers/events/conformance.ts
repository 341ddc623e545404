// What every event log must do. Run from test/ against each driver.
import { describe, expect, it } from '@jest/globals';
import type { LogEntry, SourcedEvent } from '../../contract/wire/events.ts';
import type { EventLog } from './event-log.ts';
import { KEPT_ENTRIES } from './event-log.ts';

/** A log for one test, and what ends it. */
export interface EventLogUnderTest extends AsyncDisposable {
  readonly log: EventLog;
}

const AGENT = 'w/default/u/jane/fix-auth';

/** Events `from` to `to` of a source, each told apart by its text. */
export function notes(from: number, to: number, text = 'note'): readonly SourcedEvent[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => ({
    seq: from + index,
    at: '2026-11-21T00:00:00.000Z',
    event: { type: 'note', text: `${text} ${from + index}` },
  }));
}

/** Entries of a follower until `count` have come; the follower is ended then. */
export async function followed(log: EventLog, agent: string, after: number, count: number): Promise<LogEntry[]> {
  const abort = new AbortController();
  const entries: LogEntry[] = [];
  for await (const entry of log.follow(agent, after, abort.signal)) {
    entries.push(entry);
    if (entries.length === count) abort.abort();
  }
  return entries;
}

/** Declares the suite under the driver's name. */
export function describeEventLog(name: string, create: () => Promise<EventLogUnderTest>): void {
  describe(`event log: ${name}`, () => {
    describe('append and read', () => {
      it('gives back what was appended, with ids from 1', async () => {
        await using test = await create();
        expect(await test.log.append(AGENT, 'runner', notes(1, 3, 'zwölf\n"\u2028'))).toBe(3);
        const entries = await test.log.read(AGENT, 0, 10);
        expect(entries).toEqual(
          notes(1, 3, 'zwölf\n"\u2028').map((event, index) => ({ ...event, source: 'runner', id: index + 1 })),
        );
      });

      it('has nothing for an agent that never had an event', async () => {
        await using test = await create();
        expect(await test.log.read(AGENT, 0, 10)).toEqual([]);
        expect(await test.log.tail(AGENT, 10)).toEqual([]);
        expect(await test.log.lastSeq(AGENT, 'runner')).toBe(0);
        expect(await test.log.append(AGENT, 'runner', [])).toBe(0);
      });

      it('numbers two sources on their own and gives both one order of ids', async () => {
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

      it('drops numbers that it has, keeping the first content', async () => {
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

      it('refuses a gap in the numbers and appends nothing of that batch', async () => {
        await using test = await create();
        await test.log.append(AGENT, 'runner', notes(1, 2));
        const refusal = expect.objectContaining({ code: 'FAILED_PRECONDITION' });
        await expect(test.log.append(AGENT, 'runner', notes(4, 4))).rejects.toEqual(refusal);
        await expect(test.log.append(AGENT, 'runner', [...notes(3, 3), ...notes(5, 5)])).rejects.toEqual(refusal);
        await expect(test.log.append(AGENT, 'workflow', notes(2, 2))).rejects.toEqual(refusal);
        expect(await test.log.read(AGENT, 0, 10)).toHaveLength(2);
      });

      it('reads pages', async () => {
        await using test = await create();
        await test.log.append(AGENT, 'runner', notes(1, 10));
        expect((await test.log.read(AGENT, 0, 4)).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
        expect((await test.log.read(AGENT, 8, 4)).map(({ id }) => id)).toEqual([9, 10]);
        expect(await test.log.read(AGENT, 10, 4)).toEqual([]);
        expect(await test.log.read(AGENT, 99, 4)).toEqual([]);
        expect(await test.log.read(AGENT, 0, 0)).toEqual([]);
      });

      it('tells the newest entries in order', async () => {
        await using test = await create();
        await test.log.append(AGENT, 'runner', notes(1, 10));
        expect((await test.log.tail(AGENT, 3)).map(({ id }) => id)).toEqual([8, 9, 10]);
        expect(await test.log.tail(AGENT, 99)).toHaveLength(10);
        expect(await test.log.tail(AGENT, 0)).toEqual([]);
      });

      it('keeps agents apart, also a parent and its child', async () => {
        await using test = await create();
        await test.log.append(AGENT, 'runner', notes(1, 1, 'parent'));
        await test.log.append(`${AGENT}/kid`, 'runner', notes(1, 2, 'kid'));
        await test.log.append('another', 'runner', notes(1, 3, 'another'));
        expect(await test.log.read(AGENT, 0, 10)).toHaveLength(1);
        expect(await test.log.read(`${AGENT}/kid`, 0, 10)).toHaveLength(2);
        expect(await test.log.read('another', 0, 10)).toHaveLength(3);
      });

      it('counts each event once when the same batches are appended at once', async () => {
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
      it('gives what is there and then what comes', async () => {
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

      it('begins after the entry that is named', async () => {
        await using test = await create();
        await test.log.append(AGENT, 'runner', notes(1, 5));
        expect((await followed(test.log, AGENT, 3, 2)).map(({ id }) => id)).toEqual([4, 5]);
      });

      it('waits for an agent that has no log yet', async () => {
        await using test = await create();
        const entries = followed(test.log, AGENT, 0, 1);
        await test.log.append(AGENT, 'runner', notes(1, 1));
        expect(await entries).toHaveLength(1);
      });

      it('gives every follower every entry once, in order, while entries come', async () => {
        await using test = await create();
        const followers = [0, 0, 10].map((after) => followed(test.log, AGENT, after, 300 - after));
        for (let seq = 1; seq <= 300; seq += 1) await test.log.append(AGENT, 'runner', notes(seq, seq));
        for (const [index, entries] of (await Promise.all(followers)).entries()) {
          const after = index === 2 ? 10 : 0;
          expect(entries.map(({ id }) => id)).toEqual(notes(after + 1, 300).map(({ seq }) => seq));
        }
      });

      it('hears of each entry while it waits', async () => {
        await using test = await create();
        const abort = new AbortController();
        const entries = test.log.follow(AGENT, 0, abort.signal)[Symbol.asyncIterator]();
        // Each round waits for the last: a log that was only looked at now and then would not come to the end in time.
        for (let seq = 1; seq <= 30; seq += 1) {
          const next = entries.next();
          await test.log.append(AGENT, 'runner', notes(seq, seq));
          expect((await next).value).toMatchObject({ id: seq });
        }
        abort.abort();
        expect(await entries.next()).toEqual({ done: true, value: undefined });
      }, 30_000);

      it('ends when the signal aborts, while it waits or before it begins', async () => {
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

    describe('retention', () => {
      const DROPPED = 100;
      const later = (): Date => new Date(Date.now() + 60_000);
      /** A log with as many entries more than are kept. */
      const fill = async (log: EventLog): Promise<void> => {
        await log.append(AGENT, 'workflow', notes(1, 1));
        await log.append(AGENT, 'runner', notes(1, DROPPED + KEPT_ENTRIES - 1));
      };
      const idsOf = async (log: EventLog, after: number): Promise<readonly number[]> =>
        (await log.read(AGENT, after, 10_000)).map(({ id }) => id);
      const kept = notes(DROPPED + 1, DROPPED + KEPT_ENTRIES).map(({ seq }) => seq);

      it('drops the oldest entries of a log that is quiet, and no others', async () => {
        await using test = await create();
        await fill(test.log);
        await test.log.append('short', 'runner', notes(1, 10));
        expect(await test.log.prune(new Date(Date.now() - 60_000))).toBe(0);
        expect(await idsOf(test.log, 0)).toHaveLength(DROPPED + KEPT_ENTRIES);
        expect(await test.log.prune(later())).toBe(1);
        expect(await test.log.prune(later())).toBe(0);
        expect(await idsOf(test.log, 0)).toEqual(kept);
        expect(await idsOf(test.log, DROPPED + 7)).toEqual(kept.slice(7));
        expect((await test.log.tail(AGENT, 2)).map(({ id, seq }) => [id, seq])).toEqual([
          [DROPPED + KEPT_ENTRIES - 1, DROPPED + KEPT_ENTRIES - 2],
          [DROPPED + KEPT_ENTRIES, DROPPED + KEPT_ENTRIES - 1],
        ]);
        expect(await test.log.read('short', 0, 100)).toHaveLength(10);
      });

      it('lets numbers go on, also those of a source of which no entry is left', async () => {
        await using test = await create();
        await fill(test.log);
        await test.log.prune(later());
        const last = DROPPED + KEPT_ENTRIES;
        expect(await test.log.lastSeq(AGENT, 'runner')).toBe(last - 1);
        expect(await test.log.lastSeq(AGENT, 'workflow')).toBe(1);
        expect(await test.log.append(AGENT, 'workflow', notes(1, 2, 'a later life'))).toBe(last + 1);
        expect(await test.log.append(AGENT, 'runner', notes(last - 1, last))).toBe(last + 2);
        await expect(test.log.append(AGENT, 'workflow', notes(4, 4))).rejects.toMatchObject({
          code: 'FAILED_PRECONDITION',
        });
        expect(await test.log.read(AGENT, last, 10)).toMatchObject([
          { id: last + 1, source: 'workflow', seq: 2, event: { text: 'a later life 2' } },
          { id: last + 2, source: 'runner', seq: last },
        ]);
      });

      it('gives followers what is kept, whether they came before or after, and what comes', async () => {
        await using test = await create();
        await fill(test.log);
        const abort = new AbortController();
        const early = test.log.follow(AGENT, 0, abort.signal)[Symbol.asyncIterator]();
        expect((await early.next()).value).toMatchObject({ id: 1 });
        await test.log.prune(later());
        const late = followed(test.log, AGENT, 0, KEPT_ENTRIES + 1);
        const ids: number[] = [];
        const last = DROPPED + KEPT_ENTRIES + 1;
        await test.log.append(AGENT, 'workflow', notes(2, 2));
        while (ids.at(-1) !== last) ids.push((await early.next()).value?.id);
        expect((await late).map(({ id }) => id)).toEqual([...kept, last]);
        // The entries that were dropped may have been read ahead.
        expect(ids.slice(-kept.length - 1)).toEqual([...kept, last]);
        expect(ids).toEqual(ids.toSorted((one, other) => one - other));
        abort.abort();
        await early.return?.();
      });
    });

    it('ends its followers when it is disposed of', async () => {
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
