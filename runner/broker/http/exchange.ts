// One request of the agent's git, carried to the server with the owner's access.
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CallerGit } from '../../git/caller-git.ts';
import type { BrokerAccess, HttpUpstream } from '../access.ts';
import type { Authorization, HttpCredentials } from './credentials.ts';
import { headersForClient, headersForServer } from './headers.ts';
import { withoutSecrets } from './lfs-batch.ts';
import { httpSettings } from './settings.ts';
import type { HttpSettings } from './settings.ts';
import type { GitHttpRequest } from './target.ts';
import { responseOf } from './upstream.ts';
import type { Upstream } from './upstream.ts';

/** Git sends up to this much at once (`http.postBuffer`), and asks with four bytes before it streams more. */
const REPEATABLE_BYTES = 1024 * 1024;
/** Git follows twenty redirects; a renamed repository needs one. */
const REDIRECTS = 5;

/** The broker's own answer; git shows the text after "remote:". */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

export interface ExchangeContext {
  readonly git: CallerGit;
  readonly access: BrokerAccess;
  readonly credentials: HttpCredentials;
  readonly upstream: Upstream;
  /** Where the server has sent git for a repository: requests after the first go there at once. */
  readonly moved: Map<string, string>;
}

/** Answers the request. Throws a `Refusal` or what the connection throws, before anything has been answered. */
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
  const settings = httpSettings(withUser(upstream), await context.git.config(), context.git.env);
  if (settings.unsupported.length > 0) {
    throw new Refusal(403, `the git broker does not support ${settings.unsupported.join(' and ')}`);
  }
  const call = { target, request, upstream, settings, body: await bodyOf(request), signal: gone.signal };
  const { answer, authorization } = await authorized(call, context);
  await passOn(call, answer, authorization, response);
}

interface Call {
  readonly target: GitHttpRequest;
  readonly request: IncomingMessage;
  readonly upstream: HttpUpstream;
  readonly settings: HttpSettings;
  /** A stream can be sent only once. */
  readonly body: Buffer | Readable;
  readonly signal: AbortSignal;
}

/** The server's answer, with credentials if it wants some. */
async function authorized(
  call: Call,
  context: ExchangeContext,
): Promise<{ answer: IncomingMessage; authorization: Authorization | undefined }> {
  const { upstream, request } = call;
  const { credentials } = context;
  const isOwn = request.headers.authorization !== undefined;
  const known = isOwn ? undefined : credentials.known(upstream);
  const first = await followed(call, known, context);
  if (first.statusCode !== 401 || isOwn) {
    if (known !== undefined && isSuccess(first)) await credentials.approve(upstream, known);
    return { answer: first, authorization: known };
  }
  first.resume();
  if (known !== undefined) credentials.forget(upstream);
  const challenges = challengesOf(first);
  const shown = upstream.url;
  if (challenges.length > 0 && !challenges.some((each) => /^(basic|bearer)\b/i.test(each))) {
    const kinds = challenges.map((each) => each.split(' ', 1)[0]).join(', ');
    throw new Refusal(403, `${shown} wants ${kinds}; the git broker speaks Basic and Bearer only: use a token or ssh`);
  }
  if (!isSameOrigin(context.moved.get(upstream.url) ?? upstream.url, upstream.url)) {
    throw new Refusal(403, `${shown} redirects to another host, which gets no credentials: name that URL at the spawn`);
  }
  const filled = await credentials.fill(upstream, challenges);
  if (filled === undefined) {
    throw new Refusal(
      403,
      `the owner's git has no credentials for ${shown}: make \`git ls-remote ${shown}\` work there`,
    );
  }
  const refused = async (): Promise<never> => {
    await credentials.reject(upstream, filled);
    throw new Refusal(403, `${shown} refuses the credentials of the owner's git`);
  };
  // The helper may have renewed what this session has used; if not, it is the same that was refused.
  if (filled.header === known?.header) return await refused();
  // What has been streamed is gone; git asks again, and the credentials are there then.
  if (!Buffer.isBuffer(call.body)) throw new Refusal(503, `the access to ${shown} was renewed: try again`);
  const second = await followed(call, filled, context);
  if (second.statusCode === 401) {
    second.resume();
    return await refused();
  }
  if (isSuccess(second)) await credentials.approve(upstream, filled);
  return { answer: second, authorization: filled };
}

/** Sends the request; a redirect of git's first question is followed, as git does. */
async function followed(
  call: Call,
  authorization: Authorization | undefined,
  { upstream: connections, moved }: ExchangeContext,
): Promise<IncomingMessage> {
  const { target, upstream, settings, request } = call;
  let base = moved.get(upstream.url) ?? upstream.url;
  for (let redirects = 0; ; redirects++) {
    const url = new URL(`${base}${target.endpoint}`);
    const allowed = isSameOrigin(base, upstream.url);
    const headers = headersForServer(
      request.headers,
      url,
      allowed ? settings : { ...settings, headers: [] },
      allowed ? authorization?.header : undefined,
    );
    const begin = (): ClientRequest => connections.begin({ method: request.method ?? 'GET', url, headers, settings });
    const answer = await answered(begin, call);
    const location = isRedirect(answer) && target.kind === 'refs' ? answer.headers.location : undefined;
    if (location === undefined) return answer;
    answer.resume();
    const next = URL.parse(location, url.href)?.href ?? '';
    if (!settings.followRedirects || redirects >= REDIRECTS || !next.endsWith(target.endpoint)) {
      throw new Refusal(403, `${upstream.url} redirects to a place that git would not follow`);
    }
    base = next.slice(0, -target.endpoint.length);
    if (base.startsWith('http:') && upstream.url.startsWith('https:')) {
      throw new Refusal(403, `${upstream.url} redirects to a place without encryption`);
    }
    moved.set(upstream.url, base);
  }
}

/** A server may close a connection that was kept, at the moment in which it is used again: then a new one serves. */
async function answered(begin: () => ClientRequest, { body, signal }: Call): Promise<IncomingMessage> {
  const sent = begin();
  try {
    return await answerTo(sent, body, signal);
  } catch (error) {
    if (!sent.reusedSocket || !Buffer.isBuffer(body) || signal.aborted) throw error;
    return await answerTo(begin(), body, signal);
  }
}

async function answerTo(sent: ClientRequest, body: Buffer | Readable, signal: AbortSignal): Promise<IncomingMessage> {
  const stop = (): void => void sent.destroy(new Error('the client has gone'));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const answer = responseOf(sent);
  if (Buffer.isBuffer(body)) sent.end(body);
  // A server may answer before it has read everything; then the rest is of no use.
  else void pipeline(body, sent).catch(() => undefined);
  return await answer;
}

async function passOn(
  { target, upstream, signal }: Call,
  answer: IncomingMessage,
  authorization: Authorization | undefined,
  response: ServerResponse,
): Promise<void> {
  const status = answer.statusCode ?? 502;
  const isBatch = target.kind === 'lfs' && target.endpoint.endsWith('/objects/batch');
  // Git-lfs follows a redirect of a file to another store, which gets nothing of the owner's.
  const headers = headersForClient(answer.headers, target.kind === 'lfs' ? ['location'] : []);
  if (isBatch && authorization !== undefined) {
    const text = withoutSecrets(await textOf(answer, upstream.url), authorization.header);
    delete headers['content-length'];
    response.writeHead(status, headers).end(text);
    return;
  }
  response.writeHead(status, headers);
  await pipeline(answer, response, { signal });
}

/** Small bodies are kept, so that they can be sent again with credentials. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | Readable> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && length === undefined) return Buffer.alloc(0);
  if (encoding !== undefined || Number(length) > REPEATABLE_BYTES) return request;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A batch names a hundred files, each in a few lines. */
const BATCH_BYTES = 16 * 1024 * 1024;

async function textOf(answer: IncomingMessage, url: string): Promise<string> {
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
  // One line may hold several: a scheme stands before a parameter, or alone.
  return lines.flatMap((line) => line.split(/,\s*(?=[\w-]+(?:\s+[\w-]+\s*=|\s*(?:,|$)))/));
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

function isRedirect({ statusCode = 0 }: IncomingMessage): boolean {
  return [301, 302, 303, 307, 308].includes(statusCode);
}

function isSameOrigin(one: string, other: string): boolean {
  return new URL(one).origin === new URL(other).origin;
}

function withUser({ url, credential }: HttpUpstream): string {
  const named = new URL(url);
  if (credential !== undefined) named.username = credential.username;
  return named.href;
}
