// Sends a request to the server of a repository and follows its redirects. Only that server gets the owner's access.
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isSameServer } from '../../../contract/wire/git-url.ts';
import type { CallerGit } from '../../git/caller-git.ts';
import type { BrokerAccess, HttpUpstream } from '../access.ts';
import type { Authorization, HttpCredentials } from './credentials.ts';
import { headersForServer } from './headers.ts';
import { redirectedTo } from './redirect.ts';
import { Refusal } from './refusal.ts';
import { httpSettings, withoutAccess } from './settings.ts';
import type { HttpSettings } from './settings.ts';
import type { GitHttpRequest } from './target.ts';
import { responseOf } from './upstream.ts';
import type { Upstream } from './upstream.ts';

/** Git follows twenty redirects; a renamed repository needs one. */
const REDIRECTS = 5;

export interface ExchangeContext {
  readonly git: CallerGit;
  readonly access: BrokerAccess;
  readonly credentials: HttpCredentials;
  readonly upstream: Upstream;
  /** Redirects by repository: later requests go to the target directly. */
  readonly moved: Map<string, string>;
}

/** A request of the agent's git. */
export interface Call {
  readonly target: GitHttpRequest;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** Whether the agent uses its own credentials. Then the owner's are not added. */
  readonly isOwn: boolean;
  readonly upstream: HttpUpstream;
  /** A stream can be sent only once. */
  readonly body: Buffer | Readable;
  readonly signal: AbortSignal;
}

/** A server's answer, and what was sent to the server. */
export interface Sent {
  readonly answer: IncomingMessage;
  /** The repository that answered, after all redirects. */
  readonly place: HttpUpstream;
  readonly headers: OutgoingHttpHeaders;
  readonly authorization: Authorization | undefined;
}

/**
 * Sends the request to a place of its repository, with these credentials or those known for the place. Like git,
 * follows redirects of the first request only.
 */
export async function follow(
  call: Call,
  from: { readonly place: HttpUpstream; readonly authorization?: Authorization },
  context: ExchangeContext,
): Promise<Sent> {
  const { target, upstream, method, signal } = call;
  let { place } = from;
  for (let redirects = 0; ; redirects++) {
    const isOurs = isSameServer(upstream.url, place.url);
    const settings = await settingsFor(place, isOurs, context);
    const authorization = isOurs && !call.isOwn ? (from.authorization ?? context.credentials.known(place)) : undefined;
    const url = new URL(`${place.url}${target.endpoint}`);
    const client = isOurs ? call.headers : { ...call.headers, authorization: undefined };
    const headers = headersForServer(client, url, settings, authorization?.header);
    const begin = (): ClientRequest => context.upstream.begin({ method, url, headers, settings });
    const answer = await answered(begin, call.body, signal);
    const location = isRedirect(answer) && target.kind === 'refs' ? answer.headers.location : undefined;
    if (location === undefined) return { answer, place, headers, authorization };
    answer.resume();
    const next = redirectedTo(place.url, target.endpoint, location);
    // Another server must not redirect back and so choose one of the owner's repositories.
    const isBack = next !== undefined && !isOurs && isSameServer(upstream.url, next);
    if (next === undefined || isBack || !settings.followRedirects || redirects >= REDIRECTS) {
      throw new Refusal(403, `${upstream.url} redirects to a place that the git broker does not follow`);
    }
    if (next.startsWith('http:') && place.url.startsWith('https:')) {
      throw new Refusal(403, `${upstream.url} redirects to a place without encryption`);
    }
    context.moved.set(upstream.url, next);
    place = { ...upstream, url: next };
  }
}

/** The owner's settings for a place; without the owner's access when it is on another server. */
async function settingsFor(place: HttpUpstream, isOurs: boolean, { git }: ExchangeContext): Promise<HttpSettings> {
  const settings = httpSettings(place, await git.config(), git.env);
  if (settings.unsupported.length > 0) {
    throw new Refusal(403, `the git broker does not support ${settings.unsupported.join(' and ')}`);
  }
  return isOurs ? settings : withoutAccess(settings);
}

/** Retries with a new connection when the server closes a kept one just as it is used. */
async function answered(
  begin: () => ClientRequest,
  body: Buffer | Readable,
  signal: AbortSignal,
): Promise<IncomingMessage> {
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
  // A server may answer before it has read the body. The rest is then not needed.
  else void pipeline(body, sent).catch(() => undefined);
  return await answer;
}

function isRedirect({ statusCode = 0 }: IncomingMessage): boolean {
  return [301, 302, 303, 307, 308].includes(statusCode);
}
