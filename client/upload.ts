// The client's part of `upload`: streams the caller's file to the server.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, isAbsolute } from 'node:path';
import { Readable } from 'node:stream';
import type { Operations } from '../contract/operations/index.ts';
import type { InputOf } from '../contract/operation.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { contentTypeProblem, uploadNameProblem } from '../contract/wire/uploads.ts';
import { readError, unreachable } from './request.ts';
import type { Endpoint } from './request.ts';
import { Backoff } from './retry.ts';

type Input = InputOf<Operations['upload']>;

/**
 * Sends the file and resolves with its URL. Retries while the server cannot be reached. Throws INVALID_ARGUMENT for a
 * relative path or one that is not a file, NOT_FOUND for a missing file, and the server's errors.
 */
export async function uploadFile(
  endpoint: Endpoint,
  input: Input,
  options: {
    readonly key: string;
    readonly signal: AbortSignal | undefined;
    readonly onRetry?: ((error: MurmurError) => void) | undefined;
  },
): Promise<string> {
  checkTexts(input);
  const backoff = new Backoff(endpoint.retryForMs, options.signal);
  for (;;) {
    // Read for each attempt, because the file may have grown.
    const bytes = await sizeOf(input.path);
    try {
      return await send(endpoint, input, bytes, options);
    } catch (error) {
      await backoff.pauseAfter(error, options.onRetry);
    }
  }
}

/** They become parts of a URL and of a header, so only well-formed ones can be sent. */
function checkTexts({ filename, content_type: type }: Input): void {
  const problem = uploadNameProblem(filename) ?? (type === undefined ? undefined : contentTypeProblem(type));
  if (problem !== undefined) throw new MurmurError('INVALID_ARGUMENT', problem);
}

async function sizeOf(path: string): Promise<number> {
  if (!isAbsolute(path)) {
    throw new MurmurError('INVALID_ARGUMENT', `path ${JSON.stringify(path)} is not absolute`, { details: { path } });
  }
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (found.isFile()) return found.size;
  throw new MurmurError('INVALID_ARGUMENT', `${path} is not a file`, { details: { path } });
}

async function send(
  endpoint: Endpoint,
  input: Input,
  bytes: number,
  options: { readonly key: string; readonly signal: AbortSignal | undefined },
): Promise<string> {
  const { filename, path, content_type: type, workspace } = input;
  const query = workspace === undefined ? '' : `?workspace=${encodeURIComponent(workspace)}`;
  const file = createReadStream(path);
  let broken: unknown;
  file.once('error', (error) => (broken = error));
  try {
    const response = await fetch(`${endpoint.url}/v1/uploads/${encodeURIComponent(filename)}${query}`, {
      method: 'PUT',
      headers: {
        'idempotency-key': options.key,
        'content-length': String(bytes),
        ...(type === undefined ? {} : { 'content-type': type }),
        ...(endpoint.token === undefined ? {} : { authorization: `Bearer ${endpoint.token}` }),
      },
      body: Readable.toWeb(file),
      duplex: 'half',
      redirect: 'error',
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    if (response.status !== 200) throw readError(endpoint, response.status, await response.text().catch(() => ''));
    return (await response.json()) as string;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof MurmurError) throw error;
    if (broken !== undefined) throw unreadable(path, broken);
    throw unreachable(endpoint, error);
  } finally {
    file.destroy();
  }
}

function unreadable(path: string, error: unknown): MurmurError {
  const { code, message } = error as NodeJS.ErrnoException;
  const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
  return new MurmurError(
    isMissing ? 'NOT_FOUND' : 'INVALID_ARGUMENT',
    isMissing ? `there is no file ${path}` : `${path} cannot be read: ${message}`,
    { hint: `check the path of ${basename(path)}`, details: { path }, cause: error },
  );
}
