// Creating, stopping, destroying, finding and labelling machines.
import { expect, it } from '@jest/globals';
import { posix } from 'node:path';
import type { Bench } from './suite.ts';

export function lifecycleConformance(bench: () => Bench): void {
  it('a created machine is running, and creating it again changes nothing', async () => {
    const { provider, create, name } = bench();
    const first = await create();
    expect(first).toMatchObject({ name: name(), state: 'running' });
    const machine = await provider.connect(name());
    await machine.put(posix.join(machine.paths.work, 'kept'), 'content');
    await expect(create(1, { agent: 'w/a/u/b/other' })).resolves.toMatchObject({
      labels: first.labels,
      version: first.version,
    });
    await expect(machine.get(posix.join(machine.paths.work, 'kept'))).resolves.toEqual(Buffer.from('content'));
  });

  it('describe distinguishes absent, running and stopped', async () => {
    const { provider, create, name } = bench();
    await expect(provider.describe(name())).resolves.toMatchObject({ state: 'absent', labels: {} });
    await create();
    await provider.stop(name());
    await expect(provider.describe(name())).resolves.toMatchObject({ state: 'stopped' });
    await provider.start(name());
    await expect(provider.describe(name())).resolves.toMatchObject({ state: 'running' });
  });

  it('a stopped machine keeps its disk, and connecting to it throws UNAVAILABLE', async () => {
    const { provider, connected, name } = bench();
    const machine = await connected();
    const file = posix.join(machine.paths.home, 'note');
    await machine.put(file, 'kept');
    await provider.stop(name());
    await expect(provider.connect(name())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await provider.start(name());
    await expect((await provider.connect(name())).get(file)).resolves.toEqual(Buffer.from('kept'));
  });

  it('for an absent machine, destroy and stop are no-ops; start, label and connect throw NOT_FOUND', async () => {
    const { provider, create, name } = bench();
    await create();
    await provider.destroy(name());
    await provider.destroy(name());
    await provider.stop(name());
    await expect(provider.describe(name())).resolves.toMatchObject({ state: 'absent' });
    await expect(provider.start(name())).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(provider.label(name(), {}, { if: '' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(provider.connect(name())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('a machine that is recreated under the same name has an empty disk', async () => {
    const { provider, connected, name } = bench();
    const machine = await connected();
    const { generation } = await provider.describe(name());
    await machine.put(posix.join(machine.paths.work, 'old'), 'x');
    await provider.destroy(name());
    const again = await connected();
    await expect(again.get(posix.join(again.paths.work, 'old'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const { generation: later } = await provider.describe(name());
    if (generation !== undefined) expect(later).not.toBe(generation);
  });

  it('list finds machines by label', async () => {
    const { provider, create, name, run } = bench();
    await create(1, { agent: 'w/a/u/b/one' });
    await create(2, { agent: 'w/a/u/b/two' });
    const found = await provider.list({ ...run, agent: 'w/a/u/b/two' });
    expect(found.machines.map((each) => each.name)).toEqual([name(2)]);
    expect((await provider.list(run)).machines).toHaveLength(2);
    const all = await provider.list();
    expect(all.machines.map((each) => each.name)).toEqual(expect.arrayContaining([name(1), name(2)]));
    expect(all.unreachable).toEqual([]);
  });

  it('of several callers with one version, one replaces the labels; callers with an earlier version fail', async () => {
    const { provider, create, name, run } = bench();
    const { version } = await create();
    const claims = ['one', 'two'].map((agent) => provider.label(name(), { ...run, agent }, { if: version }));
    const outcomes = await Promise.allSettled(claims);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'FAILED_PRECONDITION' },
    });
    const claimed = await provider.describe(name());
    expect(['one', 'two']).toContain(claimed.labels['agent']);
    expect(claimed.version).not.toBe(version);
    await expect(provider.label(name(), run, { if: version })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await expect(provider.label(name(), run, { if: claimed.version })).resolves.toMatchObject({ labels: run });
  });

  it.each(['before it begins', 'under way'])('a creation cancelled %s leaves no machine', async (when) => {
    const { provider, create, name, run } = bench();
    const cancelled = new AbortController();
    const reason = new Error('cancelled by the test');
    if (when === 'before it begins') cancelled.abort(reason);
    const creation = create(1, { signal: cancelled.signal });
    cancelled.abort(reason);
    await expect(creation).rejects.toBe(reason);
    await expect(provider.describe(name())).resolves.toMatchObject({ state: 'absent' });
    expect(await provider.list(run)).toEqual({ machines: [], unreachable: [] });
    await expect(create()).resolves.toMatchObject({ state: 'running' });
  });

  it('a cancelled creation leaves an existing machine unchanged', async () => {
    const { provider, create, connected, name } = bench();
    const machine = await connected();
    await machine.put(posix.join(machine.paths.work, 'kept'), 'content');
    const cancelled = new AbortController();
    const creation = create(1, { signal: cancelled.signal });
    cancelled.abort(new Error('cancelled by the test'));
    // The creation may have finished before it was cancelled.
    await creation.catch(() => undefined);
    await expect(provider.describe(name())).resolves.toMatchObject({ state: 'running' });
    const again = await provider.connect(name());
    await expect(again.get(posix.join(again.paths.work, 'kept'))).resolves.toEqual(Buffer.from('content'));
  });

  it.each(['..', 'a/b', 'A'])('the name %j throws INVALID_ARGUMENT', async (bad) => {
    const { provider } = bench();
    await expect(provider.describe(bad)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
}
