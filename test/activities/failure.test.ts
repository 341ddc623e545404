import { describe, expect, it } from '@jest/globals';
import type { ApplicationFailure } from '@temporalio/common';
import { handedOver, machineLost, toFailure } from '../../activities/failure.ts';
import { ERRORS, MurmurError } from '../../contract/wire/errors.ts';
import type { ErrorCode } from '../../contract/wire/errors.ts';

describe('toFailure', () => {
  it.each(Object.keys(ERRORS) as ErrorCode[])(
    'keeps code and details of %s, and is retryable as the error table says',
    (code) => {
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
    },
  );

  it('treats an unexpected error as a defect, which is retried four times', () => {
    const failures = [1, 4, 5, 6].map((attempt) => toFailure(new TypeError('x is undefined'), attempt));
    expect(failures.map((failure) => (failure as ApplicationFailure).nonRetryable)).toEqual([false, false, true, true]);
    expect(failures[0]).toMatchObject({ type: 'INTERNAL', message: 'x is undefined' });
  });

  it('leaves an ApplicationFailure unchanged', () => {
    for (const failure of [handedOver(), machineLost('m')]) expect(toFailure(failure, 1)).toBe(failure);
  });
});
