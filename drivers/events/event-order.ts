// Decides which events of a batch are new, for all drivers.
import type { EventSource, SourcedEvent } from '../../contract/wire/events.ts';
import { MurmurError } from '../../contract/wire/errors.ts';

/** The events above `last`. Throws FAILED_PRECONDITION for a gap in their numbers. */
export function newEvents(events: readonly SourcedEvent[], source: EventSource, last: number): readonly SourcedEvent[] {
  const fresh = events.filter((event) => event.seq > last);
  let expected = last + 1;
  for (const event of fresh) {
    if (event.seq !== expected) {
      const message = `event ${event.seq} of the ${source} cannot follow event ${expected - 1}: numbers have no gaps`;
      throw new MurmurError('FAILED_PRECONDITION', message, { details: { source, expected, found: event.seq } });
    }
    expected += 1;
  }
  return fresh;
}
