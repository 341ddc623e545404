import { describe, expect, it } from '@jest/globals';
import { latestSnapshot, storeSnapshot } from '../../agents/snapshots.ts';
import { snapshotsPrefix } from '../../contract/wire/object-keys.ts';
import { activityBench } from '../fixtures/activity-bench.ts';
import type { ActivityBench } from '../fixtures/activity-bench.ts';

async function store(bench: ActivityBench, seq: number, content: string): Promise<string> {
  const machine = await bench.provider.connect(bench.spec.machine.name);
  const directory = `${machine.paths.runner}/captured`;
  await machine.put(`${directory}/work/a b.txt`, content);
  return storeSnapshot(bench.ports.objects, bench.spec, machine, { directory, files: ['work/a b.txt'], seq });
}

describe('storeSnapshot', () => {
  it('keeps the newest three, and `latestSnapshot` returns the newest', async () => {
    await using bench = await activityBench();
    const keys: string[] = [];
    for (const seq of [9, 10, 99, 100, 1_000]) keys.push(await store(bench, seq, seq.toString()));
    expect((await latestSnapshot(bench.ports.objects, bench.spec))?.key).toBe(keys[4]);
    const stored = await bench.ports.objects.list(`${snapshotsPrefix(bench.agent)}/`);
    expect(stored.filter((key) => key.endsWith('manifest.json'))).toEqual(keys.slice(2).sort());
    expect(stored).toHaveLength(3 * 2 + 1);
  });

  it('does not delete keys of a child named `snapshots`', async () => {
    await using bench = await activityBench();
    const child = `${bench.agent}/snapshots`;
    const others = ['record.json', 'texts/m.txt', 'snapshots/latest.json'].map((name) => `agents/${child}/${name}`);
    for (const key of others) await bench.ports.objects.put(key, 'of the child');
    for (const seq of [1, 2, 3, 4, 5]) await store(bench, seq, seq.toString());
    for (const key of others) expect(await bench.ports.objects.get(key)).toBeDefined();
    const key = (await latestSnapshot(bench.ports.objects, bench.spec))?.key ?? '';
    expect(await bench.ports.objects.get(key)).toBeDefined();
  });

  it('keeps the previous one as the latest if it is interrupted', async () => {
    await using bench = await activityBench();
    const whole = await store(bench, 1, 'one');
    const put = bench.ports.objects.put;
    Object.assign(bench.ports.objects, {
      put: (key: string, content: Buffer | string) =>
        key.endsWith('manifest.json') ? Promise.reject(new Error('killed')) : put(key, content),
    });
    await expect(store(bench, 2, 'two')).rejects.toThrow('killed');
    expect((await latestSnapshot(bench.ports.objects, bench.spec))?.key).toBe(whole);
  });

  it('deletes its files if one of them cannot be read', async () => {
    await using bench = await activityBench();
    const machine = await bench.provider.connect(bench.spec.machine.name);
    const directory = `${machine.paths.runner}/captured`;
    await machine.put(`${directory}/one`, 'x'.repeat(100_000));
    const files = ['one', 'one', 'gone', 'one'];
    const storing = storeSnapshot(bench.ports.objects, bench.spec, machine, { directory, files, seq: 7 });
    await expect(storing).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await bench.ports.objects.list(`${snapshotsPrefix(bench.agent)}/`)).toEqual([]);
  });

  it('refuses a snapshot above the size limit, which earlier runners may have captured', async () => {
    await using bench = await activityBench();
    const machine = await bench.provider.connect(bench.spec.machine.name);
    const directory = `${machine.paths.runner}/captured`;
    await machine.put(`${directory}/half`, 'x'.repeat(600));
    const storing = storeSnapshot(
      bench.ports.objects,
      bench.spec,
      machine,
      { directory, files: ['half', 'half'], seq: 7 },
      1_000,
    );
    await expect(storing).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(await bench.ports.objects.list(`${snapshotsPrefix(bench.agent)}/`)).toEqual([]);
  });
});
