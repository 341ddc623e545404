// Claims on real local machines. What they are for: test/server/machine-claims.test.ts.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { claimMachine } from '../../agents/machine-claim.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { MachineInfo, MachineProvider } from '../../drivers/machines/provider.ts';
import { localMachines } from '../drivers/machines/local-machines.ts';
import type { LocalMachines } from '../drivers/machines/local-machines.ts';
import { creation } from '../fixtures/creation.ts';
import { eventually } from '../fixtures/waiting.ts';

jest.setTimeout(60_000);

const NAME = 'murmur-1';
const LABELS = { agent: 'w/default/u/tess/a', spawn: 's' };

let local: LocalMachines;
let provider: MachineProvider;
let machine: MachineInfo;
beforeEach(async () => {
  local = await localMachines();
  ({ provider } = local);
  machine = await provider.create({ name: NAME, labels: LABELS }, creation());
});
afterEach(async () => local[Symbol.asyncDispose]());

async function claim(by: string, renewMs?: number): Promise<AsyncDisposable & { confirm(): Promise<void> }> {
  const attempt = await claimMachine(provider, machine, by, renewMs);
  if (attempt.claim === undefined) throw new Error(`${String(attempt.holder?.by)} has it`);
  return attempt.claim;
}

test('of ten processes that claim one machine, one gets it, and the others learn whose it is', async () => {
  const names = Array.from({ length: 10 }, (_, index) => `p${index.toString()}`);
  const attempts = await Promise.all(names.map((by) => claimMachine(provider, machine, by)));
  const winner = attempts.findIndex((each) => each.claim !== undefined);
  const others = attempts.flatMap((each) => (each.claim === undefined ? [each.holder] : []));
  expect(others).toEqual(Array.from({ length: 9 }, () => ({ by: names[winner] })));
  await attempts[winner]?.claim?.[Symbol.asyncDispose]();
  expect(await provider.describe(NAME)).toMatchObject({ labels: LABELS });
});

test('a claim is renewed while its holder lives, and not after it was given back', async () => {
  const held = await claim('one', 5);
  const versions = new Set<string>();
  await eventually(async () => versions.add((await provider.describe(NAME)).version).size > 3, 'three renewals');
  await held.confirm();
  await held[Symbol.asyncDispose]();
  expect(await provider.describe(NAME)).toEqual(machine);
});

test('a renewal whose answer was lost does not cost the claim', async () => {
  await using held = await claim('one');
  const { label } = provider;
  Object.assign(provider, {
    label: async (...wanted: Parameters<typeof label>) => {
      await label(...wanted);
      throw new MurmurError('UNAVAILABLE', 'the connection is lost');
    },
  });
  await expect(held.confirm()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  Object.assign(provider, { label });
  await held.confirm();
});

test('a machine that has gone has no holder, and nothing to confirm', async () => {
  await using held = await claim('one');
  const claimed = await provider.describe(NAME);
  await provider.destroy(NAME);
  await held.confirm();
  expect(await claimMachine(provider, machine, 'two')).toEqual({ holder: undefined });
  expect(await claimMachine(provider, { ...claimed, labels: LABELS }, 'two')).toEqual({ holder: undefined });
});

test('a machine whose own labels have changed is not claimed', async () => {
  await provider.label(NAME, { ...LABELS, spawn: 't' }, { if: machine.version });
  await expect(claimMachine(provider, machine, 'one')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
});
