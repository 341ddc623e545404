import { expect, it } from '@jest/globals';
import { providerNamed } from '../../../drivers/machines/configured.ts';
import { createFakeProvider } from '../../../drivers/machines/fake.ts';

const local = createFakeProvider('/nowhere/local');
const far = createFakeProvider('/nowhere/far');

it('finds a provider by its name', () => {
  expect(providerNamed({ local, far }, 'far')).toBe(far);
});

it('uses the local provider for an agent of an earlier build, whose spec names none', () => {
  expect(providerNamed({ local, far }, undefined)).toBe(local);
});

it.each(['gone', 'toString'])('names a provider that is not configured and says what to do: %s', (name) => {
  expect(() => providerNamed({ local, far }, name)).toThrow(
    expect.objectContaining({
      code: 'FAILED_PRECONDITION',
      message: `machine provider "${name}" is not configured here`,
      hint: 'configure it again as long as it has machines; configured: local, far',
    }),
  );
});
