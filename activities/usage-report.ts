// Tells the workflow what a running turn has used: at the marks that it sets, not with every message.
import type { SourcedEvent } from '../contract/wire/events.ts';
import type { AgentPorts } from './ports.ts';

/** Hears the events of the running turn. */
export type UsageListener = (batch: readonly SourcedEvent[]) => void;

/**
 * Reports once the turn has used as much as the first mark, and then as much as each answer says. One report at a time;
 * one that fails is made again with the next message of the model, and with the turn's end the real figure comes anyway.
 */
export function usageReporter(
  { control, report: tell }: Pick<AgentPorts, 'control' | 'report'>,
  agent: string,
  turnId: string,
  firstMark: number | undefined,
): UsageListener {
  let mark = firstMark ?? Infinity;
  let used = 0;
  let isReporting = false;

  const report = async (): Promise<void> => {
    while (used >= mark) {
      const told = used;
      const answer = await control.reportUsage(agent, { turn_id: turnId, used_usd: told });
      mark = answer.report_at_usd ?? Infinity;
      // The workflow waits for an answer itself: only a further message is news.
      if (used === told && mark <= used) return;
    }
  };
  return (batch) => {
    for (const { event } of batch) if (event.type === 'usage') used = event.used_usd;
    if (isReporting || used < mark) return;
    isReporting = true;
    report()
      .catch((error: unknown) => tell('usage could not be reported', { agent, error: String(error) }))
      .finally(() => (isReporting = false));
  };
}
