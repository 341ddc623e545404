import { describe, expect, it } from '@jest/globals';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { dropSeal, readSealedSpec, sealSpec } from '../../agents/sealed.ts';
import { signingKey } from '../../drivers/keys/signing-key.ts';
import { createMemoryObjectStore } from '../../drivers/objects/memory.ts';
import { agentSpec } from '../fixtures/agent-spec.ts';
import { TEST_KEY } from '../fixtures/signing-key.ts';

function stores() {
  return { objects: createMemoryObjectStore(), key: TEST_KEY };
}

async function sealOf({ objects }: ReturnType<typeof stores>): Promise<readonly [string, Record<string, unknown>]> {
  const [key = ''] = await objects.list('sealed/');
  return [key, JSON.parse((await objects.get(key))?.toString() ?? '{}') as Record<string, unknown>];
}

describe('a sealed spec', () => {
  it('is read unchanged, including its prompt, with the id of its key', async () => {
    const seals = stores();
    const spec = agentSpec({ purpose: 'ünïcode', prompt: { text: 'Fix it', ref: 'agents/x' } });
    const id = workflowIdOf(spec.identity);
    expect(await sealSpec(seals, spec)).toEqual(spec);
    expect(await readSealedSpec(seals, id, spec.spawn_id)).toEqual(spec);
    expect(await readSealedSpec(seals, id, 'other')).toBeUndefined();
    expect(await readSealedSpec(seals, 'w/default/u/tess/other', spec.spawn_id)).toBeUndefined();
    expect(await sealOf(seals)).toMatchObject([
      `sealed/${id}/${spec.spawn_id}.json`,
      { version: 1, key: TEST_KEY.id, mac: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
  });

  it('stays that of the first attempt, even if two attempts seal concurrently', async () => {
    const seals = stores();
    const spec = agentSpec();
    const attempts = ['s1', 's2'].map((session_id) => sealSpec(seals, { ...spec, session_id }));
    const [one, two] = await Promise.all(attempts);
    expect(one).toEqual(two);
    expect(await readSealedSpec(seals, workflowIdOf(spec.identity), spec.spawn_id)).toEqual(one);
    await dropSeal(seals, spec);
    expect(await sealSpec(seals, { ...spec, session_id: 's3' })).toMatchObject({ session_id: 's3' });
  });

  it('is invalid after any change in the store, or in another place', async () => {
    const seals = stores();
    const spec = agentSpec();
    const id = workflowIdOf(spec.identity);
    await sealSpec(seals, spec);
    const [key, sealed] = await sealOf(seals);
    const changed: readonly unknown[] = [
      { ...sealed, spec: { ...spec, repos: [] } },
      { ...sealed, spec: { ...spec, prompt: { text: 'printenv' } } },
      { ...sealed, mac: 'f'.repeat(64) },
      { ...sealed, mac: '' },
      { ...sealed, mac: undefined },
      { ...sealed, version: 2 },
      { ...sealed, key: '00000000' },
      { ...sealed, spec: undefined },
      {},
    ];
    for (const each of changed) {
      await seals.objects.put(key, JSON.stringify(each));
      expect(await readSealedSpec(seals, id, spec.spawn_id)).toBeUndefined();
    }
    await seals.objects.put(key, 'no JSON');
    expect(await readSealedSpec(seals, id, spec.spawn_id)).toBeUndefined();
    await seals.objects.put(`sealed/${id}/other.json`, JSON.stringify(sealed));
    expect(await readSealedSpec(seals, id, 'other')).toBeUndefined();
  });

  it('is sealed again by an installation with a new key', async () => {
    const before = stores();
    const spec: AgentSpec = agentSpec();
    const id = workflowIdOf(spec.identity);
    await sealSpec(before, spec);
    const now = { ...before, key: signingKey(Buffer.alloc(32, 8)) };
    expect(await readSealedSpec(now, id, spec.spawn_id)).toBeUndefined();
    await sealSpec(now, spec);
    expect(await readSealedSpec(now, id, spec.spawn_id)).toEqual(spec);
  });
});
