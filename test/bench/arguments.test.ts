import { describe, expect, test } from '@jest/globals';
import { isAsked, readArguments } from '../../bench/arguments.ts';

describe('the command line of the benchmark', () => {
  test('takes every measure with all samples by default', () => {
    expect(readArguments([], ['spawn'])).toEqual({ json: false, quick: false, floors: false, help: false });
  });

  test('accepts several measures', () => {
    expect(readArguments(['--only', 'ls', '--only', 'spawn', '--quick'], ['spawn', 'ls'])).toMatchObject({
      only: ['ls', 'spawn'],
      quick: true,
    });
  });

  test('takes the first words of several measures for all of them', () => {
    const names = ['ls', 'ssh-dial', 'ssh-exec'];
    const { only } = readArguments(['--only', 'ssh'], names);
    expect(names.filter((name) => isAsked(name, only))).toEqual(['ssh-dial', 'ssh-exec']);
    expect(() => readArguments(['--only', 'ss'], names)).toThrow('no measure "ss"');
  });

  test('refuses a measure that is not there, quoting it and naming those that are', () => {
    expect(() => readArguments(['--only', 'spwan'], ['spawn', 'ls'])).toThrow(
      'no measure "spwan": there are spawn, ls',
    );
  });

  test('takes another checkout and a number of samples', () => {
    expect(readArguments(['--against', '../before', '--samples', '20'], [])).toMatchObject({
      against: '../before',
      samples: 20,
    });
    expect(() => readArguments(['--samples', '0'], [])).toThrow('--samples is "0"');
    expect(() => readArguments(['--samples', 'many'], [])).toThrow('--samples is "many"');
    expect(() => readArguments(['--against', 'x', '--floors'], [])).toThrow('exclude each other');
  });

  test('refuses an unknown flag', () => {
    expect(() => readArguments(['--fast'], [])).toThrow('--fast');
  });
});
