// What a status of Temporal's says of an agent.
import { expect, test } from '@jest/globals';
import { readExecution } from '../../agents/find.ts';

type Info = Parameters<typeof readExecution>[0];

function shownAs(name: Info['status']['name'], phase = 'idle'): { readonly closed: boolean; readonly phase: string } {
  const info = {
    workflowId: 'w/a/u/b/c',
    memo: {},
    searchAttributes: { MurmurPhase: [phase] },
    startTime: new Date(0),
  };
  const { closed, phase: shown } = readExecution({ ...info, status: { code: 0, name } });
  return { closed, phase: shown };
}

test.each(['RUNNING', 'PAUSED', 'CONTINUED_AS_NEW', 'UNKNOWN'] as const)('%s: it lives', (status) => {
  expect(shownAs(status)).toEqual({ closed: false, phase: 'idle' });
});

test.each([
  ['COMPLETED', 'completed'],
  ['TERMINATED', 'canceled'],
  ['CANCELLED', 'canceled'],
  ['FAILED', 'failed'],
  ['TIMED_OUT', 'failed'],
] as const)('%s: it has ended, and is %s unless it has said how', (status, phase) => {
  expect(shownAs(status)).toEqual({ closed: true, phase });
  expect(shownAs(status, 'failed')).toEqual({ closed: true, phase: 'failed' });
});
