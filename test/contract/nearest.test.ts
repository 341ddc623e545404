import { expect, test } from '@jest/globals';
import { nearestName } from '../../contract/wire/nearest.ts';

const NAMES = ['spawn', 'status', 'session_send', 'queue_add', 'ls'];

test.each([
  ['spwan', 'spawn'],
  ['Status', 'status'],
  ['sesion_send', 'session_send'],
  ['queue-add', 'queue_add'],
  ['l', 'ls'],
  ['session', 'session_send'],
])('%s was probably meant as %s', (typed, meant) => {
  expect(nearestName(typed, NAMES)).toBe(meant);
});

test.each(['', 'frobnicate', 'x'.repeat(100_000)])('no name is suggested for an unrelated text', (typed) => {
  expect(nearestName(typed, ['spawn', 'status'])).toBeUndefined();
});
