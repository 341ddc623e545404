// Scenarios of how agents end, other than a plain kill.
import { ApplicationFailure } from '@temporalio/common';
import { eventually, gate } from '../../test/fixtures/waiting.ts';
import { scenariosOf } from './life.ts';
import type { AgentLife } from './life.ts';
import { held } from './open-agents.ts';

const KILL = { id: 'k1', from: 'tess', reason: 'wrong repository' } as const;

const never = gate();
const leaving = gate();

const LIVES: Readonly<Record<string, AgentLife>> = {
  'end-while-made': {
    script: { prepare: () => held(never.opened) },
    play: async (agent) => {
      await eventually(() => agent.stub.prepared.length > 0, 'the making of the machine');
      await agent.handle.signal('kill', KILL);
      await agent.result();
    },
  },
  'end-not-made': {
    script: { prepare: () => Promise.reject(ApplicationFailure.nonRetryable('no such branch: main', 'NOT_FOUND')) },
    play: (agent) => agent.result(),
  },
  'end-by-crashes': {
    script: { turn: () => ({ status: 'crashed', response: '' }) },
    play: (agent) => agent.result(),
  },
  // A message arrives while the agent ends.
  'end-late-message': {
    script: { end: () => held(leaving.opened) },
    play: async (agent, _temporal, keep) => {
      await agent.untilIdle();
      await agent.handle.signal('kill', KILL);
      await eventually(() => agent.stub.ends.length === 1, 'the end');
      await agent.queueAdd('accepted, but too late');
      await agent.handle.signal('kill', { id: 'k2', from: 'somebody else' });
      await keep('ending');
      leaving.open();
      await agent.result();
    },
  },
  'end-not-destroyed': {
    script: { end: () => Promise.reject(ApplicationFailure.nonRetryable('the disk is busy', 'FAILED_PRECONDITION')) },
    play: async (agent) => {
      await agent.untilIdle();
      await agent.handle.signal('kill', KILL);
      await agent.result();
    },
  },
  'end-canceled': {
    script: { turn: () => 'wait' },
    play: async (agent) => {
      await agent.until((now) => now.turn?.running === true);
      await agent.handle.cancel();
      await agent.result();
    },
  },
  // The turn does not end after its interrupt, only by its cancellation.
  'end-stuck-turn': {
    script: { turn: async () => (await held(never.opened), {}) },
    play: async (agent) => {
      await agent.until((now) => now.turn?.running === true);
      await agent.handle.signal('kill', KILL);
      await agent.result();
    },
  },
  'end-stopped-in-turn': {
    script: { turn: () => 'wait' },
    play: async (agent, _temporal, keep) => {
      await agent.until((now) => now.turn?.running === true);
      await agent.queueAdd('never delivered');
      await agent.handle.signal('stop', { id: 's1', from: 'tess' });
      await agent.status();
      await keep('stopping');
      await agent.handle.signal('interrupt', { id: 'i1', from: 'tess' });
      await agent.result();
    },
  },
  'end-stopped-idle': {
    play: async (agent) => {
      await agent.untilIdle();
      await agent.handle.signal('stop', { id: 's1', from: 'tess' });
      await agent.result();
    },
  },
  'end-terminates': {
    spec: { on_idle: 'terminate' },
    play: (agent) => agent.result(),
  },
  // Checklist items stay open: the agent is reminded, and then idles instead of ending.
  'end-open-items': {
    spec: { on_idle: 'terminate', tasks: ['never done'] },
    play: async (agent, _temporal, keep) => {
      await agent.until((now) => now.phase === 'idle');
      await keep('idle');
      await agent.handle.executeUpdate('taskUpdate', { args: [{ task_id: '1', status: 'done' }] });
      await agent.queueAdd('it is done');
      await agent.result();
    },
  },
  // A signal without a payload, as an operator sends it from Temporal's Web UI.
  'end-by-hand': {
    script: { turn: ({ number }) => (number === 1 ? 'wait' : {}) },
    play: async (agent) => {
      await agent.until((now) => now.turn?.running === true);
      await agent.handle.signal('interrupt');
      await agent.untilIdle();
      await agent.handle.signal('queueAdd', 'typed by hand');
      await agent.until((now) => now.turn?.number === 2 && !now.pending_input);
      await agent.handle.signal('notify', 7);
      await agent.handle.signal('kill');
      await agent.result();
    },
  },
};

export const END_SCENARIOS = scenariosOf(LIVES);
