import { expect, test } from '@jest/globals';
import { spawnSecrets } from '../../../contract/schema/secrets.ts';

test('names of environment variables with any text as value are accepted', () => {
  const values = { FOO: 'bar', _X9: '', PATHS: 'multi\nline' };
  expect(spawnSecrets.parse(values)).toEqual(values);
  expect(spawnSecrets.parse(undefined)).toEqual({});
});

test.each(['1FOO', 'FOO-BAR', 'FOO=BAR', '', 'FOO BAR'])('the name %j is refused', (name) => {
  expect(spawnSecrets.safeParse({ [name]: 'hunter2' }).error?.message).toContain('is not valid');
});

test.each(['MURMUR_TOKEN', 'PATH', 'HOME', 'LD_PRELOAD', 'NODE_OPTIONS'])('the name %s is reserved', (name) => {
  expect(spawnSecrets.safeParse({ [name]: 'x' }).error?.message).toContain('is reserved');
});

test.each([
  ['a NUL character', 'a\0b'],
  ['more than the system takes', 'x'.repeat(100_001)],
])('a value with %s is refused without being repeated', (_name, value) => {
  const message = spawnSecrets.safeParse({ FOO: value }).error?.message ?? '';
  expect(message).toContain('secret FOO');
  expect(message.length).toBeLessThan(400);
});
