// `/w/<workspace>/u/<account>/<slug>…`: the live page of an agent. No slug begins with a dot, so what does so belongs to
// the page: `.key` exchanges the key of a link for a cookie, `.events` streams the session.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MurmurError } from '../../contract/wire/errors.ts';
import { parseWorkflowId, workflowIdOf } from '../../contract/wire/identity.ts';
import { TIMELINE_TYPES } from '../../contract/wire/events.ts';
import { addressOfIdentity } from '../agents/address.ts';
import type { AgentAddress } from '../agents/address.ts';
import { followToEnd } from '../agents/follow.ts';
import { readStatus } from '../agents/status.ts';
import { EventStream } from '../event-stream.ts';
import { readTasks } from '../handlers/tasks.ts';
import type { ServerParts } from '../parts.ts';
import { CLOSED_PAGE, documentOf, PAGE_HEADERS } from './document.ts';
import { html } from './html.ts';
import { COOKIE_MS, isPageKey, pageCookie, readPageCookie } from './page-key.ts';
import { sessionLine } from './session-lines.ts';
import { stateView } from './state-view.ts';

const COOKIE = 'murmur_page';
/** Entries of the log with which a page begins. */
const TAIL = 300;

/** An agent whose page the browser may see, until when in milliseconds since the epoch. */
interface Visit {
  readonly agent: AgentAddress;
  readonly until: number;
}

/** Adds the page's routes; streams end when the server stops. */
export function addPages(app: FastifyInstance, parts: ServerParts, stopping: AbortSignal): void {
  app.get<{ Params: { '*': string } }>('/w/*', { config: { openTo: 'links' } }, async (request, reply) => {
    const { path, part } = partOf(request.params['*']);
    const visit = visitOf(parts, request, path);
    if (visit === undefined) return await closed(reply);
    if (part === '.events') return await streamEvents(parts, visit, request, reply, stopping);
    return part === undefined ? await showPage(parts, visit, reply) : await closed(reply);
  });
  app.post<{ Params: { '*': string } }>('/w/*', async (request, reply) => {
    const { path, part } = partOf(request.params['*']);
    const identity = parseWorkflowId(`w/${path}`);
    const key = (request.body as { readonly key?: unknown } | null)?.key;
    if (part !== '.key' || identity === undefined || typeof key !== 'string') return await closed(reply);
    const id = workflowIdOf(identity);
    if (!isPageKey(parts.signer, key, id)) return await closed(reply);
    return await reply.code(204).header('set-cookie', setCookie(parts, id)).send();
  });
}

function partOf(rest: string): { readonly path: string; readonly part: string | undefined } {
  const [, path = '', part] = /^(.*?)(?:\/(\.[^/]*))?\/*$/.exec(rest) ?? [];
  return { path, part };
}

/** The path binds the cookie to the agent and its descendants; scripts and other sites have nothing of it. */
function setCookie({ signer, settings }: ServerParts, agentId: string): string {
  const secure = settings.publicUrl?.startsWith('https:') === true ? '; Secure' : '';
  const age = String(COOKIE_MS / 1_000);
  return `${COOKIE}=${pageCookie(signer, agentId)}; Path=/${agentId}; Max-Age=${age}; HttpOnly; SameSite=Strict${secure}`;
}

/** Undefined for whoever may not see it; nothing has been looked up then, so that the time tells nothing. */
function visitOf(parts: ServerParts, { headers }: FastifyRequest, path: string): Visit | undefined {
  const identity = parseWorkflowId(`w/${path}`);
  if (identity === undefined) return undefined;
  // A child's page may come with a cookie of its own and one of its parent's.
  const cookies = (headers.cookie ?? '').split(/; */).filter((each) => each.startsWith(`${COOKIE}=`));
  const ends = cookies.map((each) => readPageCookie(parts.signer, each.slice(COOKIE.length + 1), identity));
  const until = Math.max(...ends.map((end) => end ?? 0));
  return until > 0 ? { agent: addressOfIdentity(identity), until } : undefined;
}

async function closed(reply: FastifyReply): Promise<FastifyReply> {
  return await reply.code(404).headers(PAGE_HEADERS).send(CLOSED_PAGE);
}

async function showPage(parts: ServerParts, { agent }: Visit, reply: FastifyReply): Promise<FastifyReply> {
  try {
    const [status, tasks] = await Promise.all([
      readStatus(parts, agent, TIMELINE_TYPES, true),
      // The rest of the page is worth showing without a worker.
      readTasks(parts, agent).catch(() => []),
    ]);
    const body = html`${stateView(
        status,
        tasks.filter((task) => task.status !== 'deleted'),
        `/${agent.id}`,
      )}
      <h2>Session (UTC)</h2>
      <div id="session"></div>`;
    return await reply.headers(PAGE_HEADERS).send(documentOf(`${status.slug} · ${status.phase}`, body));
  } catch (error) {
    if (error instanceof MurmurError && error.code === 'NOT_FOUND') return await closed(reply);
    throw error;
  }
}

async function streamEvents(
  parts: ServerParts,
  { agent, until }: Visit,
  request: FastifyRequest,
  reply: FastifyReply,
  stopping: AbortSignal,
): Promise<FastifyReply> {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  // The cookie's end is the stream's: a browser that asks again is refused.
  const signal = AbortSignal.any([gone.signal, stopping, AbortSignal.timeout(Math.max(until - Date.now(), 1))]);
  const last = Number(request.headers['last-event-id'] ?? Number.NaN);
  const after = Number.isSafeInteger(last) && last >= 0 ? last : await beginningOf(parts, agent);
  const stream = new EventStream(reply, parts.timing.heartbeat, signal);
  try {
    for await (const entry of followToEnd(parts, agent, after, signal)) {
      await stream.send({ id: String(entry.id), data: sessionLine(entry) });
    }
    // EventSource comes back by itself after a stream that was cut off.
    if (!signal.aborted) await stream.send({ name: 'end', data: {} });
  } finally {
    stream.close();
  }
  return reply;
}

async function beginningOf(parts: ServerParts, agent: AgentAddress): Promise<number> {
  const [first] = await parts.events.tail(agent.id, TAIL);
  return (first?.id ?? 1) - 1;
}
