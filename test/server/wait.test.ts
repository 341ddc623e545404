import { expect, test } from '@jest/globals';
import type { Phase } from '../../contract/wire/phases.ts';
import type { FullStatus } from '../../agents/status.ts';
import { isReached } from '../../server/handlers/wait.ts';

type State = Partial<Pick<FullStatus, 'phase' | 'pending_input' | 'parked' | 'queued' | 'turn' | 'stale'>>;

function statusWith(state: State): FullStatus {
  return { phase: 'running', pending_input: false, queued: [], ...state } as FullStatus;
}

const TURN = { number: 2, id: 't', running: true, started_at: 's' };
const PARKED = { reason: 'no credentials' };

test.each<[string, State, Phase | undefined, boolean]>([
  ['a running agent does not satisfy a wait without a phase', { phase: 'running' }, undefined, false],
  ['an idle one does', { phase: 'idle' }, undefined, true],
  ['an agent that finished its task does', { phase: 'task-complete' }, undefined, true],
  ['an idle one with input to answer does not', { phase: 'idle', pending_input: true }, undefined, false],
  ['a starting one does not', { phase: 'starting', pending_input: true }, undefined, false],
  ['idle satisfies task-complete', { phase: 'idle' }, 'task-complete', true],
  ['but not for the turn before', { phase: 'idle', pending_input: true }, 'task-complete', false],
  ['task-complete does not satisfy idle', { phase: 'task-complete' }, 'idle', false],
  ['a running agent satisfies running', { phase: 'running', pending_input: true }, 'running', true],
  ['a terminal phase satisfies every wait', { phase: 'failed' }, 'idle', true],
  [
    'a parked agent needs attention although its own note is pending',
    { phase: 'idle', pending_input: true, parked: PARKED },
    undefined,
    true,
  ],
  [
    'a parked agent with a new message does not',
    { phase: 'idle', pending_input: true, parked: PARKED, queued: ['go on'] },
    undefined,
    false,
  ],
  [
    'a parked agent has not finished its task',
    { phase: 'idle', pending_input: true, parked: PARKED },
    'task-complete',
    false,
  ],
  ['a parked agent is idle', { phase: 'idle', pending_input: true, parked: PARKED }, 'idle', true],
  ['an agent whose turn runs is not idle', { phase: 'idle', pending_input: true, turn: TURN }, 'idle', false],
  ['what Temporal lists without a worker satisfies nothing', { phase: 'idle', stale: 'x' }, 'idle', false],
  ['unless it has ended', { phase: 'canceled', stale: 'x' }, 'idle', true],
])('%s', (_name, state, wanted, reached) => {
  expect(isReached(statusWith(state), wanted)).toBe(reached);
});
