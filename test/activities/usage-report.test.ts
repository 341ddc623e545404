import { describe, expect, it } from '@jest/globals';
import { usageReporter } from '../../activities/usage-report.ts';
import type { UsageReport } from '../../contract/wire/budget.ts';
import { eventually } from '../fixtures/waiting.ts';

/** A workflow that sets thresholds, and the reports that it got. */
function bench(marks: (number | undefined | Error)[], firstMark: number | undefined) {
  const reports: number[] = [];
  const facts: string[] = [];
  const control = {
    signal: async () => undefined,
    result: async () => undefined,
    reportUsage: async (_agent: string, { used_usd: used }: UsageReport) => {
      reports.push(used);
      const mark = marks.shift();
      if (mark instanceof Error) throw mark;
      return mark === undefined ? {} : { report_at_usd: mark };
    },
  };
  const hear = usageReporter({ control, report: (fact) => facts.push(fact) }, 'agent', 't1', firstMark);
  const use = async (usd: number): Promise<void> => {
    hear([{ seq: 1, at: '', event: { type: 'usage', used_usd: usd } }]);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { use, reports, facts };
}

describe('reports of usage', () => {
  it('are sent at the thresholds from the answers, not with every message', async () => {
    const { use, reports } = bench([4, undefined], 2);
    for (const usd of [0.5, 1, 1.9, 2.1, 2.5, 3.9, 4.5, 6, 100]) await use(usd);
    expect(reports).toEqual([2.1, 4.5]);
  });

  it('are not sent without a budget', async () => {
    const { use, reports } = bench([], undefined);
    await use(1_000);
    expect(reports).toEqual([]);
  });

  it('are repeated with the next message after a failure, or without a higher threshold', async () => {
    const { use, reports, facts } = bench([new Error('no server'), 1, 9], 1);
    await use(1);
    await eventually(() => facts.length === 1, 'the failure to be told');
    await use(1.5);
    await use(1.6);
    await use(1.7);
    expect(reports).toEqual([1, 1.5, 1.6]);
  });
});
