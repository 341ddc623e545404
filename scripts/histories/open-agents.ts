// Agents that stay alive and that a later build takes over. Each history is kept at one moment and again at the agent's
// end.
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { HANDOVER, MACHINE_LOST } from '../../contract/wire/activities.ts';
import type { AssessReply } from '../../contract/wire/assessment.ts';
import { promptOf } from '../../test/fixtures/stub-activities.ts';
import { eventually, gate } from '../../test/fixtures/waiting.ts';
import { scenariosOf } from './life.ts';
import type { AgentLife } from './life.ts';

const KILL = { id: 'k1', from: 'tess' } as const;

/** Like a clone: heartbeats until it is cancelled or released. */
export async function held(opened: Promise<void>): Promise<void> {
  const context = Context.current();
  const beating = setInterval(() => context.heartbeat(), 100);
  try {
    await Promise.race([opened, context.cancelled]);
  } finally {
    clearInterval(beating);
  }
}

const cost = { usd: 0.5, by_model: {} };
const assessed = (done: boolean): AssessReply => ({
  status: 'assessed',
  verdict: { done, reason: done ? 'all there' : 'No test.', missing: done ? [] : ['write a test'] },
  cost,
});
const refused = (retryable: boolean, more = {}) => ({
  status: 'api_error' as const,
  response: '',
  error: {
    kind: retryable ? ('overloaded' as const) : ('authentication' as const),
    message: retryable ? 'overloaded' : 'invalid key',
    action: 'wait',
    retryable,
    ...more,
  },
});

const making = gate();
const remaking = gate();
const crashing = gate();
const verdicts: (AssessReply | 'wait')[] = [assessed(false), assessed(true), 'wait', 'wait'];
let preparations = 0;
let logIsBroken = true;
let interruptIsBroken = true;

const LIVES: Readonly<Record<string, AgentLife>> = {
  // The machine is being created; messages arrive meanwhile.
  'open-starting': {
    script: { prepare: () => held(making.opened) },
    play: async (agent, _temporal, keep) => {
      await eventually(() => agent.stub.prepared.length > 0, 'the making of the machine');
      await agent.queueAdd('come when you can');
      await agent.status();
      await keep('preparing');
      making.open();
      await agent.untilIdle();
      await agent.handle.signal('kill', KILL);
      await agent.result();
    },
  },
  // At rest after every kind of request, then in a turn with all kinds of messages waiting.
  'open-resting': {
    spec: {
      tasks: ['add a test', 'fix the lint'],
      purpose: 'tests',
      out: 'push',
      model: 'fake',
      dequeue_strategy: 'five',
    },
    script: { turn: (input) => (promptOf(input).includes('hold') ? 'wait' : {}) },
    play: async (agent, _temporal, keep) => {
      await agent.until((now) => now.phase === 'idle');
      await agent.handle.executeUpdate('taskUpdate', { args: [{ task_id: '1', status: 'done' }] });
      await agent.handle.executeUpdate('taskUpdate', { args: [{ task_id: '2', status: 'done' }] });
      await agent.handle.executeUpdate('taskCreate', { args: [{ subject: 'write the notes' }] });
      await agent.handle.executeUpdate('taskUpdate', { args: [{ task_id: '3', status: 'done' }] });
      await agent.handle.executeUpdate('setStrategy', { args: [{ id: 's1', from: 'tess', strategy: 'one' }] });
      await agent.handle.executeUpdate('clearQueue', { args: [{ id: 'c1', from: 'tess' }] });
      await agent.handle.signal('notify', { id: 'n1', text: { text: 'the build is green' }, from: 'tess' });
      await agent.handle.signal('upload', {
        id: 'u1',
        from: 'tess',
        filename: 'a.png',
        url: 'http://127.0.0.1:1/v1/files/a.png',
        bytes: 3,
      });
      await agent.handle.signal('interrupt', { id: 'i0', from: 'tess' });
      await agent.status();
      await keep('idle');
      await agent.queueAdd('go on');
      await agent.until((now) => now.working_on === 'go on' && !now.pending_input);
      await agent.queueAdd('hold on');
      await agent.until((now) => now.working_on === 'hold on' && now.turn?.running === true);
      await agent.queueAdd('one that waits');
      await agent.queueAdd('another one', { tasks: ['a task that comes with it'] });
      await agent.send('one that goes first');
      await agent.handle.signal('notify', { id: 'n2', text: { text: 'a notice that waits' }, from: 'tess' });
      await agent.status();
      await keep('in-turn');
      await agent.handle.signal('interrupt', { id: 'i1', from: 'tess' });
      await agent.until((now) => now.working_on === 'another one' && now.turn?.running === false);
      await agent.handle.signal('stop', { id: 's1', from: 'tess' });
      await agent.result();
    },
  },
  'open-first-turn': {
    script: { turn: () => 'wait' },
    play: async (agent, _temporal, keep) => {
      await agent.until((now) => now.turn?.running === true);
      await keep('in-turn');
      await agent.handle.signal('interrupt', { id: 'i1', from: 'tess' });
      await agent.until((now) => now.turn?.running === false);
      await keep('interrupted');
      await agent.handle.signal('kill', KILL);
      await agent.result();
    },
  },
  // An interrupt that the runner refuses, and the next one, which it accepts.
  'open-interrupts': {
    script: {
      turn: () => 'wait',
      interrupt: async () => {
        if (!interruptIsBroken) return;
        interruptIsBroken = false;
        throw ApplicationFailure.nonRetryable('the runner is frozen', 'UNAVAILABLE');
      },
    },
    play: async (agent) => {
      await agent.until((now) => now.turn?.running === true);
      await agent.handle.signal('interrupt', { id: 'i1', from: 'tess' });
      await eventually(() => agent.stub.interrupts.length > 0, 'the first interrupt');
      await agent.status();
      await agent.handle.signal('interrupt', { id: 'i2', from: 'tess' });
      await agent.until((now) => now.turn?.running === false);
      await agent.handle.signal('kill', KILL);
      await agent.result();
    },
  },
  // Parked by an error that a person must fix, then by one that passes.
  'open-parked': {
    script: {
      turn: ({ number }) => {
        if (number === 1) return refused(false);
        if (number === 2) return refused(true, { retry_after_ms: 24 * 60 * 60_000 });
        if (number === 3) throw ApplicationFailure.nonRetryable('`claude` is not installed', 'FAILED_PRECONDITION');
        return {};
      },
    },
    play: async (agent, _temporal, keep) => {
      await agent.until((now) => now.parked !== undefined && now.phase === 'idle');
      await keep('for-good');
      await agent.queueAdd('the key is set');
      await agent.until((now) => now.parked?.retry_at !== undefined && now.phase === 'idle');
      await keep('until-later');
      await agent.queueAdd('do not wait');
      await agent.until((now) => now.parked?.reason.includes('not installed') === true && now.phase === 'idle');
      await agent.queueAdd('it is installed');
      await agent.untilIdle();
      await agent.queueAdd('more');
      await agent.until((now) => now.turn?.number === 5 && !now.pending_input);
      await agent.handle.signal('kill', KILL);
      await agent.result();
    },
  },
  // Crashed, handed over between workers, and in the continued turn.
  'open-crashed': {
    script: {
      turn: async ({ number }, attempt) => {
        if (number < 3) return { status: number === 1 ? 'crashed' : 'cut_off', response: '' };
        if (attempt < 4) throw ApplicationFailure.create({ type: HANDOVER, nextRetryDelay: '10ms' });
        if (number === 3) await held(crashing.opened);
        return number > 3 ? { status: 'crashed' } : {};
      },
    },
    play: async (agent, _temporal, keep) => {
      await agent.until((now) => now.turn?.number === 3 && now.turn.running);
      await keep('in-turn');
      crashing.open();
      await agent.untilIdle();
      await keep('idle');
      await agent.queueAdd('go on');
      await agent.result();
    },
  },
  'open-lost': {
    script: {
      turn: (input) => {
        if (input.number === 2) throw ApplicationFailure.nonRetryable('the machine is gone', MACHINE_LOST);
        return {};
      },
      prepare: async () => {
        if ((preparations += 1) > 1) await held(remaking.opened);
      },
    },
    play: async (agent, _temporal, keep) => {
      await agent.untilIdle();
      await agent.queueAdd('work on');
      await eventually(() => agent.stub.prepared.length === 2, 'the making of the second machine');
      await agent.status();
      await keep('preparing');
      remaking.open();
      await agent.until((now) => now.phase === 'idle' && !now.pending_input);
      await keep('idle');
      await agent.handle.signal('kill', KILL);
      await agent.result();
    },
  },
  'open-assessed': {
    spec: { completion_check: 'assessor', tasks: [] },
    script: { assess: () => verdicts.shift() ?? assessed(true) },
    play: async (agent, _temporal, keep) => {
      await agent.untilIdle();
      await keep('idle');
      await agent.queueAdd('more');
      await eventually(() => agent.stub.assessments.length === 3, 'the third assessment');
      await agent.status();
      await keep('assessing');
      await agent.handle.signal('interrupt', { id: 'i1', from: 'tess' });
      await agent.untilIdle();
      await agent.queueAdd('again');
      await eventually(() => agent.stub.assessments.length === 4, 'the fourth assessment');
      await agent.handle.signal('kill', KILL);
      await agent.result();
    },
  },
  'open-not-assessed': {
    spec: { completion_check: 'assessor' },
    script: {
      assess: ({ number }) => {
        if (number === 1) throw ApplicationFailure.nonRetryable('no model', 'FAILED_PRECONDITION');
        return assessed(false);
      },
    },
    play: async (agent) => {
      await agent.untilIdle();
      await agent.queueAdd('more');
      await agent.until((now) => (now.turn?.number ?? 0) > 1 && now.phase === 'idle' && !now.pending_input);
      await agent.handle.signal('kill', KILL);
      await agent.result();
    },
  },
  // The event log cannot be written for a while.
  'open-unwritten': {
    script: {
      publish: () => {
        if (logIsBroken) throw new Error('the disk is full');
      },
    },
    play: async (agent, _temporal, keep) => {
      await agent.untilIdle();
      await keep('idle');
      logIsBroken = false;
      await agent.queueAdd('more');
      await agent.until((now) => now.response === 'answer 2' && !now.pending_input);
      await agent.handle.signal('kill', KILL);
      await agent.result();
    },
  },
  // Continued as new by the number of signals: at rest, parked and in a turn.
  'open-continued': {
    spec: { limits: { continue_after_signals: 3, continue_after_turns: 4 }, dequeue_strategy: 'one', tasks: ['one'] },
    script: {
      turn: (input) => {
        if (promptOf(input).includes('hold on')) return 'wait';
        return promptOf(input).includes('be refused') ? refused(true, { retry_after_ms: 24 * 60 * 60_000 }) : {};
      },
    },
    play: async (agent, _temporal, keep) => {
      await agent.until((now) => now.phase === 'idle');
      await agent.handle.executeUpdate('taskUpdate', { args: [{ task_id: '1', status: 'done' }] });
      for (const text of ['one', 'two', 'three', 'four']) {
        await agent.queueAdd(text);
        await agent.until((now) => now.working_on === text && !now.pending_input);
      }
      await keep('idle');
      await agent.queueAdd('be refused');
      await agent.until((now) => now.parked?.retry_at !== undefined && now.phase === 'idle');
      for (const id of ['n1', 'n2', 'n3', 'n4'])
        await agent.handle.signal('notify', { id, text: { text: `notice ${id}` }, from: 'tess' });
      await agent.status();
      await keep('parked');
      await agent.send('hold on');
      await agent.until((now) => now.working_on === 'hold on' && now.turn?.running === true);
      await keep('in-turn');
      await agent.handle.signal('kill', KILL);
      await agent.result();
    },
  },
};

export const OPEN_SCENARIOS = scenariosOf(LIVES);
