import { expect, it } from '@jest/globals';
import { checkReferences } from '../../agents/references.ts';
import { buildSpec } from '../../agents/spec.ts';
import type { SpecInput } from '../../agents/spec.ts';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { createMemoryObjectStore } from '../../drivers/objects/memory.ts';

const INPUT: SpecInput = {
  identity: { workspace: 'default', account: 'tess', path: ['lead', 'fix'] },
  spawn_id: 's1',
  provider: 'local',
  repos: [{ clone_url: 'https://git.example/shop.git' }, { clone_url: '/srv/r.git', real: true, branch: 'main' }],
  description: 'fix it',
  on_idle: 'keep_alive',
  dequeue_strategy: 'all',
  tasks: [],
  secret_names: ['NPM_KEY'],
  session_id: 'session-1',
  created_at: '2026-11-30T00:00:00.000Z',
  created_by: 'tess',
};

it('omits absent, empty and default values, and derives machine, secrets and token', async () => {
  const empty = {
    allow_repos: [],
    append_system_prompt: '',
    out: '',
    completion_check: 'none',
    purpose: undefined,
  } as const;
  expect(await buildSpec(createMemoryObjectStore(), { ...INPUT, ...empty })).toStrictEqual({
    identity: { workspace: 'default', account: 'tess', path: ['lead', 'fix'] },
    spawn_id: 's1',
    machine: { provider: 'local', name: 'murmur-26a826f7' },
    repos: [
      { clone_url: 'https://git.example/shop.git', branch: 'murmur/default/tess/lead_fix' },
      { clone_url: '/srv/r.git', real: true, branch: 'main' },
    ],
    prompt: { text: 'fix it' },
    backend: 'claude',
    on_idle: 'keep_alive',
    dequeue_strategy: 'all',
    tasks: [],
    secrets: { ref: 'spawn-26a826f7b4bd91d5bed1797df328eac9', names: ['NPM_KEY'] },
    token_id: 'agent-ff0db2198bd7eadd6bd8b055',
    session_id: 'session-1',
    created_at: '2026-11-30T00:00:00.000Z',
    created_by: 'tess',
  });
});

it('keeps the reference of a stored text, and stores a new text', async () => {
  const objects = createMemoryObjectStore();
  const stored = { text: 'be brief', ref: 'agents/elsewhere/texts/system.p.txt' };
  expect(await buildSpec(objects, { ...INPUT, append_system_prompt: stored })).toMatchObject({
    append_system_prompt: stored,
  });
  const long = 'x'.repeat(100_000);
  const { append_system_prompt: appended } = await buildSpec(objects, { ...INPUT, append_system_prompt: long });
  expect((await objects.get(appended?.ref ?? ''))?.toString()).toBe(long);
});

it('names machine, secrets and token from id and spawn, so that two lives of an id share none', async () => {
  const objects = createMemoryObjectStore();
  const namesOf = ({ machine, secrets, token_id: token }: AgentSpec): unknown[] => [machine.name, secrets?.ref, token];
  const first = await buildSpec(objects, INPUT);
  const later = await buildSpec(objects, { ...INPUT, spawn_id: 's2', events_after: 7 });
  expect(later.events_after).toBe(7);
  for (const [index, name] of namesOf(later).entries()) expect(name).not.toBe(namesOf(first)[index]);
  expect(namesOf(await buildSpec(objects, { ...INPUT, session_id: 'session-2', events_after: 7 }))).toEqual(
    namesOf(first),
  );
  // Activities accept no others.
  expect(() => checkReferences(later)).not.toThrow();
  const { machine, secrets, token_id } = first;
  for (const stolen of [{ machine }, { secrets }, { token_id }]) {
    expect(() => checkReferences({ ...later, ...stolen } as AgentSpec)).toThrow(/not the agent's own/);
  }
});
