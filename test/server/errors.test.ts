// Errors pass through HTTP and client unchanged, whatever they were wrapped in on the way.
import { ApplicationFailure, ServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import { describe, expect, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import { ERRORS, MurmurError } from '../../contract/wire/errors.ts';
import type { ErrorCode } from '../../contract/wire/errors.ts';
import { murmurErrorOf } from '../../server/errors.ts';
import { startApi } from './fixtures/api.ts';

/** Links are not followed here. */
const UNASKED = async (): Promise<undefined> => await Promise.resolve(undefined);

const CODES = Object.keys(ERRORS) as ErrorCode[];

describe.each(CODES)('%s', (code) => {
  const error = new MurmurError(code, 'what is wrong', { hint: 'what to do', details: { field: 'f' } });

  test('is the same body and status over HTTP, with the id of the request', async () => {
    await using api = await startApi({
      parts: {
        tokens: {
          source: 'test',
          identify: async () => await Promise.reject(error),
          version: async () => '',
          named: UNASKED,
        },
      },
    });
    const { status, body, headers } = await api.post('/v1/version');
    expect(status).toBe(ERRORS[code].http);
    expect(body).toEqual({
      error: {
        code,
        message: 'what is wrong',
        hint: 'what to do',
        details: { field: 'f' },
        request_id: headers.get('x-request-id'),
      },
    });
    const client = createClient({ url: api.url, token: 'x', retryForMs: 0 });
    const received = await client.call('version', {}).catch((each: unknown) => each as MurmurError);
    expect((received as MurmurError).toBody()).toEqual(error.toBody());
  });

  test('survives the failure of a workflow', () => {
    const failure = ApplicationFailure.create({ type: code, message: error.message, details: [error.toBody()] });
    const wrapped = new WorkflowUpdateFailedError('Workflow Update failed', failure);
    expect(murmurErrorOf(wrapped).toBody()).toEqual(error.toBody());
  });
});

/** An error as grpc-js throws it. */
function grpcError(code: number, details = 'd'): Error {
  return Object.assign(new Error(`${String(code)} X: ${details}`), { code, details, metadata: {} });
}

test.each([
  [14, 'UNAVAILABLE', 'Temporal does not answer'],
  [4, 'UNAVAILABLE', 'Temporal does not answer'],
  [16, 'UNAVAILABLE', 'Temporal refuses the API server: d'],
  [7, 'UNAVAILABLE', 'Temporal refuses the API server: d'],
  [8, 'RESOURCE_EXHAUSTED', 'Temporal refuses more: d'],
  [9, 'UNAVAILABLE', 'the workflow takes no requests: d'],
  [13, 'INTERNAL', 'the API server failed'],
])('gRPC status %i of Temporal is %s', (status, code, message) => {
  const wrapped = new ServiceError('Failed to signal Workflow', { cause: grpcError(status) });
  expect(murmurErrorOf(wrapped)).toMatchObject({ code, message });
});

test.each([
  ['an exception', new TypeError('x of undefined')],
  ['a text', 'a text'],
  ['nothing', undefined],
  ['null', null],
])('a defect (%s) is INTERNAL and reveals nothing about the code', (_name, error) => {
  expect(murmurErrorOf(error)).toMatchObject({ code: 'INTERNAL', message: 'the API server failed' });
});

test('a defect is logged with its stack under the id of the request', async () => {
  const boom = new TypeError('boom');
  await using api = await startApi({
    parts: {
      tokens: {
        source: 'test',
        identify: async () => await Promise.reject(boom),
        version: async () => '',
        named: UNASKED,
      },
    },
  });
  const { headers } = await api.post('/v1/version');
  const line = api.logged.find((each) => each.includes('"defect"')) ?? '';
  expect(line).toContain(headers.get('x-request-id'));
  expect(line).toContain('errors.test.ts');
});
