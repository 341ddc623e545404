// The part of the event logs' conformance suite about retention. For tests only.
import { describe, expect, it } from '@jest/globals';
import type { LogEntry } from '../../contract/wire/events.ts';
import { AGENT, followed, notes } from './conformance-fixture.ts';
import type { EventLogUnderTest } from './conformance-fixture.ts';
import type { EventLog } from './event-log.ts';
import { KEPT_ENTRIES } from './event-log.ts';

/** Declares the tests. */
export function retentionConformance(create: () => Promise<EventLogUnderTest>): void {
  describe('retention', () => {
    const DROPPED = 100;
    const later = (): Date => new Date(Date.now() + 60_000);
    /** Appends more entries than retention keeps. */
    const fill = async (log: EventLog): Promise<void> => {
      await log.append(AGENT, 'workflow', notes(1, 1));
      await log.append(AGENT, 'runner', notes(1, DROPPED + KEPT_ENTRIES - 1));
    };
    const idsOf = async (log: EventLog, after: number): Promise<readonly number[]> =>
      (await log.read(AGENT, after, 10_000)).map(({ id }) => id);
    const kept = notes(DROPPED + 1, DROPPED + KEPT_ENTRIES).map(({ seq }) => seq);

    it('drops only the oldest entries, and only of logs without recent entries', async () => {
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

    it('continues ids and sequence numbers, also for a source whose entries are all dropped', async () => {
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

    it('gives the kept and all new entries to followers that started before or after the cut', async () => {
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
      while (ids.at(-1) !== last) ids.push(((await early.next()) as IteratorYieldResult<LogEntry>).value.id);
      expect((await late).map(({ id }) => id)).toEqual([...kept, last]);
      // The follower may have read dropped entries before the cut.
      expect(ids.slice(-kept.length - 1)).toEqual([...kept, last]);
      expect(ids).toEqual(ids.toSorted((one, other) => one - other));
      abort.abort();
      await early.return?.();
    });
  });
}
