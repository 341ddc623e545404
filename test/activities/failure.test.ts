import { describe, expect, it } from '@jest/globals';
import type { ApplicationFailure } from '@temporalio/common';
import { handedOver, machineLost, toFailure } from '../../activities/failure.ts';
import { ERRORS, MurmurError } from '../../contract/wire/errors.ts';
import type { ErrorCode } from '../../contract/wire/errors.ts';

describe('toFailure', () => {
  it.each(Object.keys(ERRORS) as ErrorCode[])('carries %s whole, retryable as the table says', (code) => {
    const error = new MurmurError(code, 'what is wrong', { hint: 'what to do', details: { field: 'repo' } });
    const failure = toFailure(error, 1) as ApplicationFailure;
    expect([failure.type, failure.message, failure.nonRetryable]).toEqual([
      code,
      'what is wrong',
      !ERRORS[code].retryable,
    ]);
    expect(failure.details).toEqual([
      { code, message: 'what is wrong', hint: 'what to do', details: { field: 'repo' } },
    ]);
  });

  it('takes what nobody expected as a defect, tried again four times', () => {
    const failures = [1, 4, 5, 6].map((attempt) => toFailure(new TypeError('x is undefined'), attempt));
    expect(failures.map((failure) => (failure as ApplicationFailure).nonRetryable)).toEqual([false, false, true, true]);
    expect(failures[0]).toMatchObject({ type: 'INTERNAL', message: 'x is undefined' });
  });

  it('leaves failures of the contract as they are', () => {
    for (const failure of [handedOver(), machineLost('m')]) expect(toFailure(failure, 1)).toBe(failure);
  });
});
