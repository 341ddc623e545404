// Reports a running turn's usage to the workflow, at the thresholds that the workflow sets instead of with every
// message.
import type { SourcedEvent } from '../contract/wire/events.ts';
import type { AgentPorts } from './ports.ts';

/** Receives the events of the running turn. */
export type UsageListener = (batch: readonly SourcedEvent[]) => void;

/**
 * Reports when the usage reaches the first threshold, and then at the threshold from each answer. One report at a time.
 * A failed report is repeated with the model's next message; the turn's outcome has the exact cost anyway.
 */
export function usageReporter(
  { control, report: reportProblem }: Pick<AgentPorts, 'control' | 'report'>,
  agent: string,
  turnId: string,
  firstMark: number | undefined,
): UsageListener {
  let mark = firstMark ?? Infinity;
  let used = 0;
  let isReporting = false;

  const report = async (): Promise<void> => {
    while (used >= mark) {
      const reported = used;
      const answer = await control.reportUsage(agent, { turn_id: turnId, used_usd: reported });
      mark = answer.report_at_usd ?? Infinity;
      // The workflow itself waits for an answer: only another message changes anything.
      if (used === reported && mark <= used) return;
    }
  };
  return (batch) => {
    for (const { event } of batch) if (event.type === 'usage') used = event.used_usd;
    if (isReporting || used < mark) return;
    isReporting = true;
    report()
      .catch((error: unknown) => reportProblem('usage could not be reported', { agent, error: String(error) }))
      .finally(() => (isReporting = false));
  };
}
