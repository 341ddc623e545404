// Calls from an agent's activity to another agent's workflow, on a real server.
import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { isGrpcCancelledError } from '@temporalio/client';
import { AGENT_WORKFLOW } from '../../contract/wire/messages.ts';
import { createAgentControl } from '../../agents/control.ts';
import { sharedTemporalForFile } from '../fixtures/temporal-for-file.ts';
import { eventually } from '../fixtures/waiting.ts';

const temporal = sharedTemporalForFile();

it('awaiting the result of an agent ends its long poll when it is aborted', async () => {
  const { client } = temporal;
  // No worker polls this queue, so the agent never ends.
  const workflowId = `w/default/u/tess/${randomUUID()}`;
  const handle = await client.workflow.start(AGENT_WORKFLOW, { taskQueue: randomUUID(), workflowId });
  const service = client.workflowService;
  const ask = service.getWorkflowExecutionHistory.bind(service);
  const polls: Promise<unknown>[] = [];
  const watched = (request: Parameters<typeof ask>[0]): ReturnType<typeof ask> => {
    const poll = ask(request);
    polls.push(poll.catch((error: unknown) => error));
    return poll;
  };
  Object.assign(service, { getWorkflowExecutionHistory: watched });
  try {
    const call = new AbortController();
    const result = createAgentControl(client).result(workflowId, call.signal);
    await eventually(() => polls.length > 0, 'the poll');
    call.abort();
    expect(await result).toBeUndefined();
    expect(isGrpcCancelledError(await polls[0])).toBe(true);
    expect(polls).toHaveLength(1);
    expect(await createAgentControl(client).result(workflowId, call.signal)).toBeUndefined();
    expect(polls).toHaveLength(1);
  } finally {
    Object.assign(service, { getWorkflowExecutionHistory: ask });
    await handle.terminate('end of test');
  }
}, 60_000);
