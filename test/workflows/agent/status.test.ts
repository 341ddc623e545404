import { describe, expect, it } from '@jest/globals';
import { enterPhase, sessionInput } from '../../../workflows/agent/transitions.ts';
import { recordOf, statusOf } from '../../../workflows/agent/status.ts';
import { detailsOf } from '../../../workflows/agent/visibility.ts';
import { NOW, message, testAgent } from '../../fixtures/agent-state.ts';

describe('pending_input', () => {
  it('is true from the spawn until every message is answered', () => {
    const agent = testAgent();
    const pending = () => statusOf(agent.state, agent.spec).pending_input;
    expect(pending()).toBe(true);
    agent.begin();
    expect(pending()).toBe(true);
    agent.state.queue.push(message('more'));
    agent.end();
    expect(pending()).toBe(true);
    agent.begin();
    agent.end();
    expect(pending()).toBe(false);
  });

  it('is true while an agent is parked, and false once it has ended', () => {
    const agent = testAgent();
    agent.begin();
    agent.end({ status: 'api_error' });
    expect(statusOf(agent.state, agent.spec).pending_input).toBe(true);
    enterPhase(agent.state, 'canceled', NOW);
    expect(statusOf(agent.state, agent.spec)).toMatchObject({ pending_input: false, queued: [] });
  });
});

describe('statusOf', () => {
  it('includes a timeline only on request', () => {
    const { state, spec } = testAgent();
    expect(statusOf(state, spec)).not.toHaveProperty('timeline');
    expect(statusOf(state, spec, { timeline: ['phase'] }).timeline).toEqual([
      { type: 'phase', phase: 'starting', at: NOW },
    ]);
  });

  it('omits unknown fields', () => {
    const { state, spec } = testAgent();
    expect(Object.values(statusOf(state, spec))).not.toContain(undefined);
  });
});

it('the record lists accepted messages that were not delivered, including the prompt', () => {
  const agent = testAgent();
  agent.state.queue.push(message('never read'));
  enterPhase(agent.state, 'canceled', NOW);
  expect(recordOf(agent.state, agent.spec).status.undelivered).toEqual(['Fix the timeout', 'never read']);
});

it('the session is that of the spec until an activity tells its id, then that goes to activities and record', () => {
  const agent = testAgent();
  expect(sessionInput(agent.state)).toEqual({});
  expect(recordOf(agent.state, agent.spec).spec.session_id).toBe(agent.spec.session_id);
  agent.begin();
  agent.end({ session_id: 'made by the program' });
  agent.begin();
  agent.end();
  expect(sessionInput(agent.state)).toEqual({ session_id: 'made by the program' });
  expect(recordOf(agent.state, agent.spec).spec.session_id).toBe('made by the program');
});

it('the details for the Web UI are Markdown without prompt or answer', () => {
  const agent = testAgent({ tasks: ['x'] });
  agent.begin();
  agent.end({ response: 'SECRET ANSWER' });
  const details = detailsOf(agent.state, agent.spec);
  expect(details).toContain('- **phase**: running');
  expect(details).toContain(`- **machine**: ${agent.spec.machine.name}`);
  expect(details).toContain('- **tasks**: 1 of 1 open');
  expect(details).not.toMatch(/SECRET|timeout/);
});
