// An assessment: a separate session judges the work against the task.
import { Context } from '@temporalio/activity';
import type { AssessInput } from '../contract/wire/activities.ts';
import { ASSESSMENT_LIMIT } from '../contract/wire/assessment.ts';
import type { AssessReply } from '../contract/wire/assessment.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import type { RunnerUse } from '../drivers/machines/provider.ts';
import type { Admitted } from './admission.ts';
import { withHeartbeat } from './activity-scope.ts';
import { reachRunner } from './machine.ts';
import { openRequest } from './open-request.ts';
import type { AgentPorts } from './ports.ts';
import { wholeText } from './prompt.ts';

/**
 * The first attempt starts the assessment. A later one may find it in progress, possibly under a runner of another
 * build: that runner is asked again, so no second assessor starts.
 */
function useOf(attempt: number): RunnerUse {
  return attempt === 1 ? 'begin' : 'reach';
}

/** `assess`: an attempt after a worker's death re-attaches to the same assessment. */
export function assess(ports: AgentPorts, input: Admitted<AssessInput>): Promise<AssessReply> {
  const { spec, assess_id } = input;
  return withHeartbeat(ports.handover, async (scope) => {
    await using reached = await reachRunner(ports, spec, useOf(Context.current().info.attempt));
    const { machine, runner } = reached;
    const request = { assess_id, prompt: await assessorPrompt(ports, input) };
    try {
      return await runner.assess(request, scope.signal).catch(async (error: unknown) => {
        // A restarted runner has no session yet.
        if (!(error instanceof MurmurError) || error.code !== 'FAILED_PRECONDITION') throw error;
        await runner.open(await openRequest(ports, input, machine), scope.signal);
        return await runner.assess(request, scope.signal);
      });
    } catch (error) {
      if (scope.signal.aborted && scope.cancelRequested) await runner.interrupt({ turn_id: assess_id });
      throw error;
    }
  });
}

async function assessorPrompt(ports: AgentPorts, input: Admitted<AssessInput>): Promise<string> {
  const { spec, number, task, subject, checklist, response } = input;
  const whole = await wholeText(ports, workflowIdOf(spec.identity), task);
  const parts = [
    'Another agent was given a task and says that it has finished. Judge whether everything that it was asked for is ' +
      'done. Look at the changes below and at the files in the working directory; you can read and not write. Trust ' +
      'what you see, not what the agent says of its work, and ask for nothing that the task does not ask for.',
    `This is assessment ${String(number)} of at most ${String(ASSESSMENT_LIMIT)}.`,
    `# Task\n\n${whole}`,
    ...(subject === '' || whole.startsWith(subject.replace(/…$/, '')) ? [] : [`# Asked last\n\n${subject}`]),
    ...(spec.out === undefined || spec.out === '' ? [] : [`# Wanted result\n\n${spec.out}`]),
    ...(checklist.length === 0
      ? []
      : [`# Checklist\n\n${checklist.map(({ subject: item, status }) => `- [${status}] ${item}`).join('\n')}`]),
    ...(response === undefined ? [] : [`# Its last answer\n\n${response}`]),
  ];
  return parts.join('\n\n');
}
