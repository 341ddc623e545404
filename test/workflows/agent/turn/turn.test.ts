import { describe, expect, it } from '@jest/globals';
import type { TurnError } from '../../../../contract/wire/turns.ts';
import { carriedState } from '../../../../workflows/agent/migrate.ts';
import { addCost } from '../../../../contract/wire/cost.ts';
import { canStart, endLostTurn } from '../../../../workflows/agent/turn/turn.ts';
import { NOW, message, testAgent, texts } from '../../../fixtures/agent-state.ts';

const nowMs = Date.parse(NOW);
const usage = { input_tokens: 1, output_tokens: 2, cache_read_tokens: 3, cache_write_tokens: 4, usd: 0.5 };

describe('a turn that starts', () => {
  it('takes the prompt, the requested result and the checklist', () => {
    const agent = testAgent({ out: 'push', tasks: ['add a test'] });
    const { inputs, number } = agent.begin();
    expect(number).toBe(1);
    expect(inputs.map((input) => input.kind)).toEqual(['prompt', 'system']);
    expect(inputs[1]?.text.text).toContain('push it to `origin`');
    expect(inputs[1]?.text.text).toContain('- add a test');
    expect(agent.state).toMatchObject({ phase: 'running', working_on: 'Fix the timeout' });
  });

  it('adds no instructions when nothing is requested beyond the prompt', () => {
    expect(
      testAgent()
        .begin()
        .inputs.map((input) => input.kind),
    ).toEqual(['prompt']);
  });

  it('passes a free text as the requested result verbatim', () => {
    expect(testAgent({ out: 'a table of figures' }).begin().inputs[1]?.text.text).toBe('a table of figures');
  });

  it('adds the checklist items of a follow-up when it is delivered', () => {
    const agent = testAgent();
    agent.begin();
    agent.end();
    agent.state.queue.push(message('also this', 'queue', ['one', 'two']));
    expect(agent.state.tasks).toEqual([]);
    expect(texts(agent.begin().inputs)).toEqual(['also this', 'Checklist for this task:\n- one\n- two']);
    expect(agent.state.tasks.map((task) => task.subject)).toEqual(['one', 'two']);
  });
});

describe('a turn that completes', () => {
  it('completes the task when no input waits', () => {
    const agent = testAgent();
    agent.begin();
    expect(agent.end({ response: 'fixed' })).toEqual({ next: 'rest', complete: true });
    expect(agent.state).toMatchObject({ response: 'fixed', due: [] });
  });

  it('continues with waiting input', () => {
    const agent = testAgent();
    agent.begin();
    agent.state.queue.push(message('more'));
    expect(agent.end()).toEqual({ next: 'continue' });
  });

  it('adds up cost per model and commits, and keeps the branches', () => {
    const agent = testAgent();
    const commit = { repo: 'r', branch: 'b', sha: '1', subject: 'fix' };
    const branches = [{ repo: 'r', branch: 'b', head: '1', pushed: true, dirty_files: 0 }];
    agent.begin();
    agent.end({
      cost: { usd: 0.5, by_model: { m: usage } },
      commits: [commit],
      pushes: [commit],
      branches,
      snapshot: 'k',
    });
    agent.state.queue.push(message('more'));
    agent.begin();
    agent.end({ cost: { usd: 0.5, by_model: { m: usage } } });
    expect(agent.state).toMatchObject({ commits: 1, branches, saved_turn: 1, cost: { usd: 1 } });
    expect(agent.state.cost.by_model['m']).toEqual({ ...usage, ...doubled() });
    expect(agent.state.timeline.map((entry) => entry.type).filter((type) => type !== 'phase')).toEqual([
      'commit',
      'push',
      'taskComplete',
      'taskComplete',
    ]);
  });

  it('activates tasks whose files it changed, and these keep the agent from idling', () => {
    const agent = testAgent({ tasks: [] });
    agent.state.tasks = [
      {
        id: '1',
        subject: 'run the linter',
        status: 'pending',
        blocks: [],
        blocked_by: [],
        activation: { condition: 'files_modified', pattern: '*.go' },
        dormant: true,
      },
    ];
    agent.begin();
    expect(agent.end({ files_modified: ['main.go'] })).toEqual({ next: 'continue' });
    expect(texts(agent.begin().inputs)[0]).toContain('run the linter');
  });
});

describe('a turn that is interrupted', () => {
  it('leaves the agent waiting for a message, without a reminder of open items', () => {
    const agent = testAgent({ tasks: ['open item'] });
    agent.begin().interrupted_by = 'tess';
    expect(agent.end({ status: 'interrupted' })).toMatchObject({
      next: 'rest',
      complete: false,
      reason: 'interrupted by tess; waits for a message',
    });
    expect(agent.state.due).toEqual([]);
  });
});

describe('a turn whose model request failed', () => {
  const error: TurnError = { kind: 'overloaded', message: 'overloaded', action: 'wait', retryable: true };

  it('parks the agent until the retry time, and then tells the model', () => {
    const agent = testAgent();
    agent.begin();
    expect(agent.end({ status: 'api_error', error, response: '' })).toEqual({ next: 'continue' });
    expect(agent.state.parked).toEqual({ reason: 'overloaded', retry_at: '2026-11-21T09:00:05.000Z' });
    expect(canStart(agent.state, nowMs + 4_999)).toBe(false);
    expect(canStart(agent.state, nowMs + 5_000)).toBe(true);
    expect(texts(agent.begin().inputs)[0]).toContain('a model request failed (overloaded)');
    expect(agent.state.parked).toBeUndefined();
  });

  it('waits as long as the server asks, and otherwise with increasing intervals', () => {
    const agent = testAgent();
    const waits = [1, 2, 3].map(() => {
      agent.begin();
      agent.end({ status: 'api_error', error });
      return Date.parse(agent.state.parked?.retry_at ?? '') - nowMs;
    });
    expect(waits).toEqual([5_000, 10_000, 20_000]);
    agent.begin();
    agent.end({ status: 'api_error', error: { ...error, retry_after_ms: 90_000 } });
    expect(agent.state.parked?.retry_at).toBe('2026-11-21T09:01:30.000Z');
  });

  it('waits for a person when a retry cannot help, and says what to do', () => {
    const agent = testAgent();
    agent.begin();
    agent.end({ status: 'api_error', error: { ...error, retryable: false, action: 'set a valid key' } });
    expect(agent.state.parked).toEqual({ reason: 'overloaded; set a valid key' });
    expect(canStart(agent.state, nowMs + 10 ** 10)).toBe(false);
  });

  it('is retried at once when a message arrives', () => {
    const agent = testAgent();
    agent.begin();
    agent.end({ status: 'api_error', error: { ...error, retryable: false } });
    agent.state.queue.push(message('the key is mended'));
    expect(canStart(agent.state, nowMs)).toBe(true);
    expect(texts(agent.begin().inputs)[1]).toBe('the key is mended');
  });

  it('because of a full disk waits for a person, and tells the agent to clean up', () => {
    const agent = testAgent();
    agent.begin();
    const message = "the agent's files hold 41 MiB; the limit is 16 MiB (limits.disk_mb of the host)";
    agent.end({ status: 'limit', error: { kind: 'disk', message, action: 'raise it', retryable: false } });
    expect(agent.state.parked).toEqual({ reason: `${message}; raise it` });
    const [note] = texts(agent.begin().inputs);
    expect(note).toContain(`ended because ${message}`);
    expect(note).toContain('Delete what you do not need');
  });

  it("quotes the user's messages, not Murmur's notes, however often it fails", () => {
    const agent = testAgent();
    for (let failures = 0; failures < 5; failures += 1) {
      agent.begin();
      agent.end({ status: 'api_error', error });
    }
    const [note] = texts(agent.begin().inputs);
    expect(note?.match(/cut off because/g)).toHaveLength(1);
    expect(note).toContain('> Fix the timeout');
  });
});

describe('a turn that was cut off from outside', () => {
  it('is continued with a note, without repeating the input, if the model had answered', () => {
    const agent = testAgent();
    agent.begin();
    agent.end({ status: 'cut_off', response: '', cost: { usd: 1, by_model: { m: usage } } });
    const inputs = agent.begin().inputs;
    expect(inputs.map((input) => input.kind)).toEqual(['system']);
    expect(texts(inputs)[0]).toContain('Murmur was stopped');
  });

  it('counts work before a crash as an answer, even if its cost is unknown', () => {
    const agent = testAgent();
    agent.begin();
    agent.end({ status: 'crashed', response: '', answered: true });
    expect(agent.begin().inputs.map((input) => input.kind)).toEqual(['system']);
  });

  it('repeats the input if the model never answered', () => {
    const agent = testAgent({ out: 'push' });
    const first = agent.begin().inputs;
    agent.end({ status: 'crashed', response: '' });
    const again = agent.begin().inputs;
    expect(texts(again)[0]).toContain('ended unexpectedly');
    expect(again.slice(1)).toEqual(first);
  });

  it('fails the agent at the fourth crash in a row', () => {
    const agent = testAgent();
    const verdicts = [1, 2, 3, 4].map(() => {
      agent.begin();
      return agent.end({ status: 'crashed', response: '' });
    });
    expect(verdicts).toEqual([
      { next: 'continue' },
      { next: 'continue' },
      { next: 'continue' },
      { next: 'fail', reason: 'the agent program crashed 4 times in a row' },
    ]);
  });

  it('resets the crash count after a completed turn, and does not count a stop of Murmur', () => {
    const agent = testAgent();
    for (let round = 0; round < 10; round += 1) {
      agent.begin();
      agent.end({ status: 'cut_off', response: '' });
    }
    for (let round = 0; round < 10; round += 1) {
      agent.begin();
      expect(agent.end({ status: 'crashed', response: '' })).toEqual({ next: 'continue' });
      agent.begin();
      agent.end({ status: 'completed' });
      agent.state.queue.push(message('next'));
    }
  });

  it('repeats the inputs on a new machine, without repeating instructions or tasks', () => {
    const agent = testAgent({ tasks: ['one'] });
    const first = agent.begin().inputs;
    expect(endLostTurn(agent.state, NOW)).toEqual({ next: 'continue' });
    const again = agent.begin().inputs;
    expect(texts(again)[0]).toContain('The machine was lost');
    expect(again.slice(1)).toEqual(first);
    expect(agent.state.tasks).toHaveLength(1);
  });
});

describe('addCost', () => {
  it('adds up cost per model', () => {
    const sum = addCost({ usd: 1, by_model: { a: usage } }, { usd: 2, by_model: { b: usage } });
    expect(sum).toEqual({ usd: 3, by_model: { a: usage, b: usage } });
  });
});

it('the inputs of an ended turn are not carried over', () => {
  const agent = testAgent();
  agent.begin();
  agent.end();
  expect(carriedState(agent.state).turn?.inputs).toEqual([]);
});

function doubled(): typeof usage {
  return { input_tokens: 2, output_tokens: 4, cache_read_tokens: 6, cache_write_tokens: 8, usd: 1 };
}
