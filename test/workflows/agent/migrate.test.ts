// The state that one run of an agent carries over to the next, including from an earlier build.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { AgentSpec } from '../../../contract/wire/agent.ts';
import type { FollowUp } from '../../../contract/wire/turns.ts';
import { PACKAGE_ROOT } from '../../../config/package.ts';
import { carriedState, migrate } from '../../../workflows/agent/migrate.ts';
import type { CarriedState } from '../../../workflows/agent/migrate.ts';
import { SCHEMA } from '../../../workflows/agent/state.ts';
import type { AgentState } from '../../../workflows/agent/state.ts';
import { agentSpec } from '../../fixtures/agent-spec.ts';
import { message, NOW, testAgent, texts } from '../../fixtures/agent-state.ts';

/** As it arrives in a payload. */
function travelled<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

interface Started {
  readonly workflowType: { readonly name: string };
  readonly input: { readonly payloads: readonly { readonly data: string }[] };
}

/** Spec and state that earlier builds carried over to their next run. */
function keptStates(): readonly { readonly file: string; readonly spec: AgentSpec; readonly state: CarriedState }[] {
  const folder = join(PACKAGE_ROOT, 'test/replay/histories');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  return files.flatMap((file) => {
    const { events } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      readonly events: readonly { readonly workflowExecutionStartedEventAttributes: Started }[];
    };
    const started = events[0]?.workflowExecutionStartedEventAttributes;
    const read = (index: number): unknown =>
      JSON.parse(Buffer.from(started?.input.payloads[index]?.data ?? '', 'base64').toString());
    if (started?.workflowType.name !== 'agent' || started.input.payloads.length < 2) return [];
    return [{ file, spec: read(0) as AgentSpec, state: read(1) as CarriedState }];
  });
}

/** A state of a build without children, budgets, notices and assessments. */
function oldState({ state }: { readonly state: AgentState }): CarriedState {
  const { schema: _schema, idle_code: _code, children: _children, forgotten_cost_usd: _forgotten, ...rest } = state;
  const { to_parent: _parent, told: _told, budget: _budget, notices: _notices, assessments: _n, ...older } = rest;
  const { assessing: _assessing, missing: _missing, ...oldest } = older;
  return travelled(oldest);
}

describe('migrate', () => {
  it('does not change a state of this build', () => {
    const { state, spec } = testAgent();
    expect(migrate(travelled(carriedState(state)), spec)).toEqual(travelled(state));
  });

  it('adds the later fields to a state of the oldest build', () => {
    const identity = { workspace: 'default', account: 'tess', path: ['lead', 'kid'] };
    const agent = testAgent({ identity, max_cost_usd: 3 });
    const { state: now, spec } = agent;
    expect(migrate(oldState(agent), spec)).toEqual({ ...travelled(now), idle_code: undefined });
    expect(migrate(oldState(testAgent()), agentSpec()).to_parent).toBeUndefined();
  });

  it('accepts every kept state of earlier builds', () => {
    const kept = keptStates();
    expect(kept.length).toBeGreaterThan(30);
    for (const { file, spec, state } of kept) {
      const migrated = migrate(state, spec);
      expect({ file, ...migrated }).toMatchObject({
        file,
        ...state,
        due: texts(state.due).map((text) => ({ text: { text } })),
        schema: SCHEMA,
      });
      for (const input of migrated.due.filter(({ kind }) => kind === 'system')) {
        expect(input.id.startsWith(`${input.note ?? ''}-`)).toBe(true);
      }
    }
  });

  it.each([
    ['waits for its children', 'waits_for_children'],
    ['interrupted by tess; waits for a message', 'interrupted'],
    ['branch x is not pushed', undefined],
  ])('derives the idle code from the reason: %s', (reason, code) => {
    const agent = testAgent();
    agent.begin();
    const state = { ...oldState(agent), phase: 'idle', reason } as const;
    expect(migrate(state, agent.spec).idle_code).toBe(code);
  });

  it('recognises instructions and budget notices by their ids, and leaves messages from people unchanged', () => {
    const agent = testAgent();
    const written = { ...message('instructions-1'), id: 'instructions-1' };
    const system = (id: string): FollowUp => ({ id, kind: 'system', text: { text: id }, from: 'murmur', at: NOW });
    agent.state.due = [system('instructions-3'), system('budget-3'), system('budget-cut-2'), written];
    agent.begin();
    const { due, turn } = migrate({ ...oldState(agent), due: [system('reminder-12')] }, agent.spec);
    expect(due.map(({ note }) => note)).toEqual(['reminder']);
    expect(turn?.inputs.map(({ note }) => note).slice(0, 4)).toEqual([
      'instructions',
      'budget',
      'budget-cut',
      undefined,
    ]);
  });

  it('refuses a state of a later build', () => {
    const { state, spec } = testAgent();
    expect(() => migrate({ ...carriedState(state), schema: SCHEMA + 1 }, spec)).toThrow('this build supports at most');
  });
});
