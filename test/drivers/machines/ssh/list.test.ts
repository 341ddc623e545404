// What the provider `ssh` lists while hosts cannot be asked. No ssh server is needed for it.
import { expect, it } from '@jest/globals';
import { MurmurError } from '../../../../contract/wire/errors.ts';
import { DEFAULT_MACHINE_LIMITS } from '../../../../contract/wire/machine-limits.ts';
import { GitBrokers } from '../../../../drivers/machines/git-brokers.ts';
import type { SshTarget } from '../../../../drivers/machines/ssh/connection.ts';
import { createSshProvider } from '../../../../drivers/machines/ssh/provider.ts';

/** Long enough for what answers at once, however busy this host is. */
const LIMIT_MS = 500;

const providerOf = (targets: Readonly<Record<string, () => Promise<SshTarget>>>) =>
  createSshProvider(
    Object.entries(targets).map(([host, target]) => ({
      settings: { host },
      target,
      shipment: () => Promise.resolve({}),
      owner: 'tests',
      start: { limits: DEFAULT_MACHINE_LIMITS, show: [] },
    })),
    { git: new GitBrokers({ machines: '/nowhere', env: {} }), listLimitMs: LIMIT_MS },
  );

it('every host that cannot be asked is named with its reason, one that is silent as well', async () => {
  const refusal = new MurmurError('FAILED_PRECONDITION', 'host build-1 shows another key than the pinned one');
  await using provider = providerOf({
    'build-1': () => Promise.reject(refusal),
    'build-2': () => new Promise(() => undefined),
  });
  const { machines, unreachable } = await provider.list();
  expect(machines).toEqual([]);
  expect(unreachable).toEqual([
    { host: 'build-1', reason: refusal },
    { host: 'build-2', reason: expect.objectContaining({ code: 'UNAVAILABLE' }) },
  ]);
  expect(unreachable[1]?.reason.message).toBe('host build-2 has not answered within 0.5 s');
});

it('a list that is cancelled rejects with the reason, whatever the hosts do', async () => {
  await using provider = providerOf({ 'build-1': () => new Promise(() => undefined) });
  const cancelled = new AbortController();
  const listing = provider.list({}, cancelled.signal);
  const reason = new Error('cancelled by the test');
  cancelled.abort(reason);
  await expect(listing).rejects.toBe(reason);
});
