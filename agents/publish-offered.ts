// Events of the workflow that an activity takes with it to the log.
import type { SourcedEvent } from '../contract/wire/events.ts';
import type { Drivers } from '../drivers/platform.ts';
import type { Report } from './platform.ts';

/** Appends them; what cannot be written is only reported: the workflow still has it, and other work is worth more. */
export async function publishOffered(
  { events: log, report }: Pick<Drivers, 'events'> & { readonly report: Report },
  agent: string,
  events: readonly SourcedEvent[] = [],
): Promise<void> {
  if (events.length === 0) return;
  await log.append(agent, 'workflow', events).catch((error: unknown) => {
    report('events could not be written', { agent, error: String(error) });
  });
}
