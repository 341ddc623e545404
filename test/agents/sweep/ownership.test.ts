// The cases of the decision whether an agent owns a machine.
import { describe, expect, test } from '@jest/globals';
import { machineName } from '../../../agents/names.ts';
import { awaitsAncestor, CLOSE_GRACE_MS, ownershipOf } from '../../../agents/sweep/ownership.ts';
import type { AgentExecution, MachineFacts } from '../../../agents/sweep/ownership.ts';

const AGENT = 'w/default/u/tess/boss/kid';
const SPAWN = 'spawn-1';
const HOME = { stack: 'stack-1', namespace: 'namespace-1' };
const NOW = new Date('2026-11-30T12:00:00.000Z');
const SPAWNED = '2026-11-30T08:00:00.000Z';

const ago = (ms: number): Date => new Date(NOW.getTime() - ms);

function execution(changes: Partial<AgentExecution> = {}): AgentExecution {
  return {
    spawnId: SPAWN,
    createdAt: SPAWNED,
    isOpen: true,
    closedAt: undefined,
    leftMachine: false,
    ...changes,
  };
}

function closed(changes: Partial<AgentExecution> = {}): AgentExecution {
  return execution({ isOpen: false, closedAt: ago(CLOSE_GRACE_MS), ...changes });
}

function facts(changes: Partial<MachineFacts> = {}): MachineFacts {
  return {
    name: machineName(AGENT, SPAWN),
    labels: { agent: AGENT, spawn: SPAWN, ...HOME },
    execution: closed(),
    ancestors: [],
    recordedSpawn: undefined,
    sealedAt: SPAWNED,
    ...changes,
  };
}

const verdict = (changes: Partial<MachineFacts>): unknown => ownershipOf(facts(changes), HOME, NOW);
const orphaned = (reason: string): unknown => ({ state: 'orphaned', reason });

describe('a machine is owned', () => {
  test('while the execution of its spawn is open, whatever the other facts are', () => {
    const open = execution();
    expect(verdict({ execution: open })).toEqual({ state: 'owned' });
    expect(verdict({ execution: open, sealedAt: undefined, recordedSpawn: SPAWN })).toEqual({ state: 'owned' });
    const moved = { agent: AGENT, spawn: SPAWN, stack: HOME.stack, namespace: 'namespace-2' };
    expect(verdict({ execution: open, labels: moved })).toEqual({ state: 'owned' });
  });

  test('even with the fewer labels of earlier builds', () => {
    expect(verdict({ execution: execution(), labels: { agent: AGENT, spawn: SPAWN } })).toEqual({ state: 'owned' });
    expect(verdict({ execution: execution(), labels: { agent: AGENT } })).toEqual({ state: 'owned' });
  });
});

test('a machine of another installation is foreign, even if its agent is alive', () => {
  const labels = { agent: AGENT, spawn: SPAWN, ...HOME, stack: 'stack-2' };
  expect(verdict({ labels })).toEqual({ state: 'foreign' });
  expect(verdict({ labels, execution: execution() })).toEqual({ state: 'foreign' });
});

describe('a machine is pending', () => {
  test('for a while after its agent has closed', () => {
    expect(verdict({ execution: closed({ closedAt: ago(CLOSE_GRACE_MS - 1) }) })).toEqual({ state: 'pending' });
    expect(verdict({ execution: closed({ closedAt: ago(-5_000) }) })).toEqual({ state: 'pending' });
  });

  test('while the ancestor whose kill ends it is open, and for a while after', () => {
    const kid = closed({ leftMachine: true });
    expect(verdict({ execution: kid, ancestors: [execution()] })).toEqual({ state: 'pending' });
    expect(verdict({ execution: kid, ancestors: [closed({ leftMachine: true }), execution()] })).toEqual({
      state: 'pending',
    });
    const justClosed = closed({ closedAt: ago(1_000) });
    expect(verdict({ execution: kid, ancestors: [justClosed] })).toEqual({ state: 'pending' });
    expect(verdict({ execution: kid, ancestors: [closed()] })).toEqual({ state: 'unowned' });
  });

  test('for a while after a later spawn of its agent has closed', () => {
    const later = closed({ spawnId: 'spawn-2', createdAt: '2026-11-30T09:00:00.000Z', closedAt: ago(1_000) });
    expect(verdict({ execution: later })).toEqual({ state: 'pending' });
  });
});

describe('a machine is unowned', () => {
  test('when its agent has closed a while ago', () => {
    expect(verdict({})).toEqual({ state: 'unowned' });
  });

  test('if its agent was killed with an ancestor that Temporal does not know any more', () => {
    expect(verdict({ execution: closed({ leftMachine: true }), ancestors: [undefined] })).toEqual({ state: 'unowned' });
  });

  test('if a later spawn of its agent is open', () => {
    const later = execution({ spawnId: 'spawn-2', createdAt: '2026-11-30T09:00:00.000Z' });
    expect(verdict({ execution: later })).toEqual({ state: 'unowned' });
  });

  test('when Temporal has forgotten the agent and the record is of its spawn', () => {
    expect(verdict({ execution: undefined, recordedSpawn: SPAWN })).toEqual({ state: 'unowned' });
  });
});

describe('a machine is orphaned', () => {
  test.each(['agent', 'spawn', 'stack', 'namespace'])('without the label %s', (name) => {
    const labels = Object.fromEntries(Object.entries(facts().labels).filter(([key]) => key !== name));
    expect(verdict({ labels })).toEqual(orphaned('label_missing'));
  });

  test('of another namespace, also when an agent of its name has closed here', () => {
    const labels = { agent: AGENT, spawn: SPAWN, ...HOME, namespace: 'namespace-2' };
    expect(verdict({ labels })).toEqual(orphaned('other_namespace'));
  });

  test('when its name does not follow from its labels', () => {
    expect(verdict({ name: 'murmur-00000000' })).toEqual(orphaned('label_mismatch'));
    expect(verdict({ labels: { agent: 'boss', spawn: SPAWN, ...HOME } })).toEqual(orphaned('label_mismatch'));
  });

  test('when this installation has not sealed the spec of its agent', () => {
    expect(verdict({ sealedAt: undefined })).toEqual(orphaned('not_sealed'));
  });

  test('when neither Temporal nor a record knows its spawn', () => {
    expect(verdict({ execution: undefined })).toEqual(orphaned('unknown_agent'));
    expect(verdict({ execution: undefined, recordedSpawn: 'spawn-0' })).toEqual(orphaned('unknown_agent'));
  });

  test('if Temporal knows only an earlier or an unknown spawn of its agent', () => {
    const earlier = { spawnId: 'spawn-0', createdAt: '2026-11-30T07:00:00.000Z' };
    expect(verdict({ execution: closed(earlier) })).toEqual(orphaned('unknown_agent'));
    expect(verdict({ execution: execution(earlier) })).toEqual(orphaned('unknown_agent'));
    expect(verdict({ execution: closed({ spawnId: undefined, createdAt: undefined }) })).toEqual(
      orphaned('unknown_agent'),
    );
  });
});

test('only an agent with a pending clean-up waits for an ancestor', () => {
  expect(awaitsAncestor(closed({ leftMachine: true }))).toBe(true);
  expect(awaitsAncestor(closed())).toBe(false);
  expect(awaitsAncestor(execution())).toBe(false);
  expect(awaitsAncestor(undefined)).toBe(false);
});
