// Forwards one request of the agent's git to the server, with the owner's access.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isSameServer } from '../../../contract/wire/git-url.ts';
import type { HttpUpstream } from '../access.ts';
import { follow } from './follow.ts';
import type { Call, ExchangeContext, Sent } from './follow.ts';
import { headersForClient, ownersValues } from './headers.ts';
import { withoutSecrets } from './lfs-batch.ts';
import { Refusal } from './refusal.ts';
import type { GitHttpRequest } from './target.ts';

/**
 * Git sends bodies up to this size at once (`http.postBuffer`). Before it streams more, it sends a probe of four bytes.
 */
const REPEATABLE_BYTES = 1024 * 1024;

/** Answers the request. Throws a `Refusal` or the connection's error before any part of the answer was sent. */
export async function exchange(
  target: GitHttpRequest,
  request: IncomingMessage,
  response: ServerResponse,
  context: ExchangeContext,
): Promise<void> {
  const upstream = context.access.upstream(target.repository);
  if (upstream === undefined) {
    throw new Refusal(
      403,
      `${target.repository} is not one of this agent's repositories; a person allows others with --allow-repo`,
    );
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const isOwn = request.headers.authorization !== undefined;
  const call: Call = {
    target,
    method: request.method ?? 'GET',
    headers: clientHeaders(target, request.headers, isOwn),
    isOwn,
    upstream,
    body: await bodyOf(request),
    signal: gone.signal,
  };
  await passOn(call, await authorized(call, context), response);
}

/** Answers of git-lfs's protocol must not be compressed, because the broker reads them. */
function clientHeaders({ kind }: GitHttpRequest, headers: IncomingHttpHeaders, isOwn: boolean): IncomingHttpHeaders {
  return kind === 'lfs' && !isOwn ? { ...headers, 'accept-encoding': 'identity' } : headers;
}

/** The server's answer, with credentials if it requires some. */
async function authorized(call: Call, context: ExchangeContext): Promise<Sent> {
  const { upstream, isOwn } = call;
  const { credentials } = context;
  const start = { ...upstream, url: context.moved.get(upstream.url) ?? upstream.url };
  const first = await follow(call, { place: start }, context);
  const { place, authorization: known } = first;
  if (first.answer.statusCode !== 401 || isOwn) {
    if (known !== undefined && isSuccess(first.answer)) credentials.approve(place, known);
    return first;
  }
  first.answer.resume();
  if (known !== undefined) credentials.forget(place);
  const challenges = challengesOf(first.answer);
  const shown = upstream.url;
  if (challenges.length > 0 && !challenges.some((each) => /^(basic|bearer)\b/i.test(each))) {
    const kinds = challenges.map((each) => each.split(' ', 1)[0]).join(', ');
    const supported = 'the git broker supports only Basic and Bearer: use a token or ssh';
    throw new Refusal(403, `${shown} requires ${kinds}; ${supported}`);
  }
  checkServer(upstream, place);
  const filled = await credentials.fill(place, challenges);
  if (filled === undefined) {
    throw new Refusal(
      403,
      `the owner's git has no credentials for ${place.url}: make \`git ls-remote ${place.url}\` work there`,
    );
  }
  const refused = async (): Promise<never> => {
    await credentials.reject(place, filled);
    throw new Refusal(403, `${shown} refuses the credentials of the owner's git`);
  };
  // Retry only if the helper has renewed the credentials: these were just rejected.
  if (filled.header === known?.header) return await refused();
  // A streamed body cannot be sent again. Git can retry, with the credentials now known.
  if (!Buffer.isBuffer(call.body)) throw new Refusal(503, `the access to ${shown} was renewed: try again`);
  const second = await follow(call, { place, authorization: filled }, context);
  if (second.answer.statusCode === 401) {
    second.answer.resume();
    checkServer(upstream, second.place);
    return await refused();
  }
  // An answer of another server has no authorization.
  if (second.authorization !== undefined && isSuccess(second.answer)) {
    credentials.approve(place, filled);
    // Some servers redirect only authorized requests.
    credentials.approve(second.place, filled);
  }
  return second;
}

function checkServer({ url }: HttpUpstream, place: HttpUpstream): void {
  if (isSameServer(url, place.url)) return;
  throw new Refusal(403, `${url} redirects to another host, which gets no credentials: name that URL at the spawn`);
}

async function passOn(
  { target, method, upstream, isOwn, signal }: Call,
  { answer, headers: sent }: Sent,
  response: ServerResponse,
): Promise<void> {
  const status = answer.statusCode ?? 502;
  const isLfs = target.kind === 'lfs';
  // Git-lfs itself follows redirects of files to other stores, which get none of the owner's credentials.
  const headers = headersForClient(answer.headers, isLfs ? ['location'] : []);
  // Decided by method and type: servers decode paths, so a batch has many spellings.
  const isProtocol = isLfs && (method === 'POST' || LFS_TYPE.test(answer.headers['content-type'] ?? ''));
  const secrets = isProtocol && !isOwn ? ownersValues(sent) : [];
  if (secrets.length > 0) {
    const text = withoutSecrets(await textOf(answer, upstream.url), secrets);
    delete headers['content-length'];
    response.writeHead(status, headers).end(text);
    return;
  }
  response.writeHead(status, headers);
  await pipeline(answer, response, { signal });
}

/** Buffers small bodies, so that they can be sent again with credentials. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | Readable> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && length === undefined) return Buffer.alloc(0);
  if (encoding !== undefined || Number(length) > REPEATABLE_BYTES) return request;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Answers of git-lfs's protocol; a file has another type. */
const LFS_TYPE = /vnd\.git-lfs\+json/i;
/** A batch names a hundred files, each in a few lines. */
const BATCH_BYTES = 16 * 1024 * 1024;

async function textOf(answer: IncomingMessage, url: string): Promise<string> {
  if (!/^(?:identity)?$/i.test(answer.headers['content-encoding'] ?? '')) {
    throw new Refusal(502, `${url} compresses its answer, which the git broker has to read`);
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > BATCH_BYTES) throw new Refusal(502, `the answer of ${url} is too long`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function challengesOf(answer: IncomingMessage): readonly string[] {
  const lines = answer.rawHeaders.flatMap((name, at, all) =>
    at % 2 === 0 && name.toLowerCase() === 'www-authenticate' ? [all[at + 1] ?? ''] : [],
  );
  // One line may hold several challenges. Each begins with a scheme, alone or before a parameter.
  return lines.flatMap((line) => line.split(/,\s*(?=[\w-]+(?:\s+[\w-]+\s*=|\s*(?:,|$)))/));
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}
