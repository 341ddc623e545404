import { expect, it } from '@jest/globals';
import { join } from 'node:path';
import { createFakeProvider } from '../../../drivers/machines/fake.ts';
import { machineProviderConformance } from '../../../drivers/machines/conformance.ts';
import { MurmurError } from '../../../contract/wire/errors.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { creation } from '../../fixtures/creation.ts';

machineProviderConformance(
  'fake',
  async () => {
    const folder = await temporaryFolder();
    const provider = createFakeProvider(folder.path);
    return {
      provider,
      killLink: (name) => provider.breakConnection(name),
      [Symbol.asyncDispose]: async () => {
        for (const { name } of await provider.list()) await provider.destroy(name);
        await folder[Symbol.asyncDispose]();
      },
    };
  },
  { linkDies: true, transferBytes: 8_000_000, runner: join(import.meta.dirname, 'stand-in-runner.cjs') },
);

it('a lost machine is absent at once', async () => {
  await using folder = await temporaryFolder();
  const provider = createFakeProvider(folder.path);
  await provider.create({ name: 'murmur-1', labels: {} }, creation());
  await provider.lose('murmur-1');
  await expect(provider.describe('murmur-1')).resolves.toMatchObject({ state: 'absent' });
});

it('create throws the error of refuseCreate until that is cleared', async () => {
  await using folder = await temporaryFolder();
  const provider = createFakeProvider(folder.path);
  provider.refuseCreate(new MurmurError('UNAVAILABLE', 'no capacity'));
  await expect(provider.create({ name: 'murmur-1', labels: {} }, creation())).rejects.toThrow('no capacity');
  provider.refuseCreate(undefined);
  await expect(provider.create({ name: 'murmur-1', labels: {} }, creation())).resolves.toMatchObject({
    state: 'running',
  });
});
