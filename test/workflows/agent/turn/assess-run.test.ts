// Assessments in a workflow on a real server, with interrupts and kills.
import { describe, expect, it } from '@jest/globals';
import type { AssessReply } from '../../../../contract/wire/assessment.ts';
import { startAgent } from '../../../fixtures/running-agent.ts';
import { promptOf } from '../../../fixtures/stub-activities.ts';
import { sharedTemporalForFile } from '../../../fixtures/temporal-for-file.ts';
import { eventually } from '../../../fixtures/waiting.ts';

const temporal = sharedTemporalForFile();

const cost = { usd: 0.5, by_model: {} };
const done: AssessReply = { status: 'assessed', verdict: { done: true, reason: 'all there', missing: [] }, cost };

describe.each([{ maxCachedWorkflows: 100 }, { maxCachedWorkflows: 0 }])(
  'an assessed agent, $maxCachedWorkflows cached',
  (worker) => {
    it('does what is missing, can be interrupted and killed during an assessment, and pays for it', async () => {
      const verdict = { done: false, reason: 'No test.', missing: ['write a test'] };
      const replies: (AssessReply | 'wait')[] = [{ status: 'assessed', verdict, cost }, done, 'wait', 'wait'];
      await using agent = await startAgent(
        temporal,
        { assess: () => replies.shift() ?? done },
        { completion_check: 'assessor' },
        worker,
      );
      const idle = await agent.untilIdle();
      expect(agent.stub.turns.map(promptOf)).toEqual(['Fix the timeout', expect.stringContaining('- write a test')]);
      expect(agent.stub.assessments.map(({ number }) => number)).toEqual([1, 2]);
      expect(agent.stub.assessments[0]).toMatchObject({
        task: { text: 'Fix the timeout' },
        session: { agent: agent.handle.workflowId },
      });
      expect(idle.cost.own_usd).toBe(1.5);

      await agent.queueAdd('more');
      await eventually(() => agent.stub.assessments.length === 3, 'the third assessment');
      expect(await agent.status()).toMatchObject({ pending_input: true });
      await agent.handle.signal('interrupt', { id: 'i', from: 'tess' });
      expect(await agent.untilIdle()).toMatchObject({ reason: 'interrupted by tess; waits for a message' });

      await agent.queueAdd('again');
      await eventually(() => agent.stub.assessments.length === 4, 'the fourth assessment');
      await agent.handle.signal('kill', { id: 'k', from: 'tess' });
      expect(await agent.result()).toMatchObject({ phase: 'canceled' });
      expect(agent.stub.interrupts.map(({ turn_id }) => turn_id)).toEqual(
        agent.stub.assessments.slice(2).map(({ assess_id }) => assess_id),
      );
    }, 120_000);
  },
);
