import { describe, expect, it } from '@jest/globals';
import type { IsolationSpec, IsolationRequest } from '../../../contract/wire/isolation.ts';
import { detectIsolation } from '../../../runner/isolation/detect.ts';
import { resolveIsolation } from '../../../runner/isolation/resolve.ts';

const PLAN = {
  machine: 'murmur-1',
  paths: { home: '/m/home', work: '/m/work', run: '/m/run', isolation: '/m/isolation' },
  hide: ['/m/hidden'],
  keep: ['/m/kept'],
  show: ['/m/shown'],
};

describe('resolveIsolation', () => {
  it('returns a resolved spec unchanged', async () => {
    const spec: IsolationSpec = { ...PLAN, kind: 'namespace', uid: 7 };
    expect(await resolveIsolation(spec, {})).toBe(spec);
  });

  it('tracks where that is asked for, for an agent that is the caller', async () => {
    const request: IsolationRequest = { ...PLAN, choice: 'tracking', uid: 7 };
    expect(await resolveIsolation(request, {})).toEqual({ ...PLAN, kind: 'tracking' });
  });

  it('uses what works here, with its own user for the agent of a root caller and a covered HOME otherwise', async () => {
    const { kind, ownUser, limitsInForce } = await detectIsolation('auto');
    const spec = await resolveIsolation({ ...PLAN, choice: 'auto' }, { HOME: '/usr', PATH: '/usr/bin' });
    const inForce = limitsInForce === undefined ? {} : { limitsInForce };
    expect(spec).toMatchObject({ ...inForce, kind, machine: 'murmur-1', show: ['/m/shown'] });
    if (kind === 'tracking') return;
    expect(spec.uid).toBe(ownUser ? 1_909_999_998 : undefined);
    expect(spec.hide).toEqual(ownUser ? ['/m/hidden'] : ['/m/hidden', '/usr']);
    expect(spec.keep).toEqual(ownUser ? ['/m/kept'] : expect.arrayContaining(['/m/kept', '/usr/bin']));
    const given = await resolveIsolation({ ...PLAN, choice: 'auto', uid: 1_909_999_990 }, {});
    expect(given.uid).toBe(ownUser ? 1_909_999_990 : undefined);
  });
});
