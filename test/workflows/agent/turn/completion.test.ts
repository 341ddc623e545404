import { describe, expect, it } from '@jest/globals';
import type { BranchState } from '../../../../contract/wire/turns.ts';
import { message, testAgent, texts } from '../../../fixtures/agent-state.ts';
import type { TestAgent } from '../../../fixtures/agent-state.ts';

function branch(agent: TestAgent, pushed: boolean, dirty_files = 0): BranchState {
  const repo = agent.spec.repos[0];
  return { repo: repo?.clone_url ?? '', branch: repo?.branch ?? '', head: 'abc', pushed, dirty_files };
}

describe('a checklist', () => {
  it('causes three reminders that name the items, and then the agent idles with a reason', () => {
    const agent = testAgent({ tasks: ['write tests', 'update docs'] });
    agent.begin();
    for (let reminders = 1; reminders <= 3; reminders += 1) {
      expect(agent.end()).toEqual({ next: 'continue' });
      const [text] = texts(agent.begin().inputs);
      expect(text).toContain('- write tests');
      expect(text).toContain('- update docs');
    }
    expect(agent.end()).toEqual({
      next: 'rest',
      complete: false,
      reason: 'open checklist items: write tests; update docs (after 3 reminders)',
    });
  });

  it('causes new reminders after a message', () => {
    const agent = testAgent({ tasks: ['a'] });
    agent.begin();
    for (let reminders = 1; reminders <= 3; reminders += 1) {
      agent.end();
      agent.begin();
    }
    agent.end();
    agent.state.queue.push(message('go on'));
    agent.begin();
    expect(agent.end()).toEqual({ next: 'continue' });
  });
});

describe('out: push', () => {
  it('is met when every branch is on origin at its head', () => {
    const agent = testAgent({ out: 'push' });
    agent.begin();
    expect(agent.end({ branches: [branch(agent, true)] })).toEqual({ next: 'rest', complete: true });
  });

  it('causes a reminder of an unpushed branch and of uncommitted files', () => {
    const agent = testAgent({ out: 'push' });
    agent.begin();
    agent.end({ branches: [branch(agent, false, 2)] });
    const [text] = texts(agent.begin().inputs);
    expect(text).toContain(agent.spec.repos[0]?.branch);
    expect(text).toContain('2 files are not committed');
  });

  it('is not met while the working branch is unknown', () => {
    const agent = testAgent({ out: 'push' });
    agent.begin();
    expect(agent.end()).toEqual({ next: 'continue' });
  });
});

it.each(['respond', 'a table', undefined])('out: %s is met by any answer', (out) => {
  const agent = testAgent(out === undefined ? {} : { out });
  agent.begin();
  expect(agent.end()).toEqual({ next: 'rest', complete: true });
});
