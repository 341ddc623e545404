// `/w/<workspace>/u/<account>/<slug>…`: the live page of an agent. The document is the same for every address; it
// fetches its content with a token. Slugs never begin with a dot, so these names belong to the page: `.key` exchanges a
// link's key for a token, `.state` returns the agent's state, `.events` streams the session.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MurmurError } from '../../contract/wire/errors.ts';
import { isTerminal } from '../../contract/wire/phases.ts';
import type { Phase } from '../../contract/wire/phases.ts';
import { parseWorkflowId, workflowIdOf } from '../../contract/wire/identity.ts';
import { TIMELINE_TYPES } from '../../contract/wire/events.ts';
import { addressOfIdentity } from '../../agents/names.ts';
import type { AgentAddress } from '../../agents/names.ts';
import { followToEnd } from '../../agents/log.ts';
import { readStatus } from '../../agents/status.ts';
import { EventStream } from '../event-stream.ts';
import { readTasks } from '../../agents/tasks.ts';
import type { ServerParts } from '../parts.ts';
import type { TokenWatch } from '../token-watch.ts';
import { PAGE_HEADERS, SHELL, stateDocument } from './document.ts';
import { pageToken, readPageKey, readPageToken } from './page-key.ts';
import { sessionLine } from './session-lines.ts';
import { stateView } from './state-view.ts';
import { holds, visitEnd } from './visit.ts';
import type { Visit } from './visit.ts';

/** Log entries that a page shows first. */
const TAIL = 300;

/** Bytes of the body with a page's key; a key has some hundred. The body is read before the sender is known. */
const KEY_LIMIT = 4_096;

/** Adds the page's routes; streams end when the server stops. */
export function addPages(app: FastifyInstance, parts: ServerParts, watch: TokenWatch, stopping: AbortSignal): void {
  app.get<{ Params: { '*': string } }>('/w/*', { config: { openTo: 'links' } }, async (request, reply) => {
    const { path, part } = partOf(request.params['*']);
    if (part === undefined) return await reply.headers(PAGE_HEADERS).send(SHELL);
    const visit = part === '.state' || part === '.events' ? await visitOf(parts, request, path) : undefined;
    if (visit === undefined) return await closed(reply);
    return part === '.state'
      ? await sendState(parts, visit.agent, reply)
      : await streamEvents(parts, watch, visit, request, reply, stopping);
  });
  app.post<{ Params: { '*': string } }>('/w/*', { bodyLimit: KEY_LIMIT }, async (request, reply) => {
    const { path, part } = partOf(request.params['*']);
    const identity = parseWorkflowId(`w/${path}`);
    const key = (request.body as { readonly key?: unknown } | null)?.key;
    if (part !== '.key' || identity === undefined || typeof key !== 'string') return await closed(reply);
    const grant = readPageKey(parts.signer, key, workflowIdOf(identity));
    if (grant === undefined || !(await holds(parts, grant))) return await closed(reply);
    return await reply.send({ token: pageToken(parts.signer, grant) });
  });
}

function partOf(rest: string): { readonly path: string; readonly part: string | undefined } {
  const [, path = '', part] = /^(.*?)(?:\/(\.[^/]*))?\/*$/.exec(rest) ?? [];
  return { path, part };
}

/** Undefined without a valid grant. Looks up nothing without a token of ours, so that timing reveals nothing. */
async function visitOf(parts: ServerParts, { headers }: FastifyRequest, path: string): Promise<Visit | undefined> {
  const identity = parseWorkflowId(`w/${path}`);
  const [, token = ''] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const grant = identity === undefined ? undefined : readPageToken(parts.signer, token, identity);
  if (identity === undefined || grant === undefined || !(await holds(parts, grant))) return undefined;
  return { agent: addressOfIdentity(identity), grant };
}

/** The same answer for missing agents and missing rights. */
async function closed(reply: FastifyReply): Promise<FastifyReply> {
  return await reply.code(404).type('text/plain; charset=utf-8').send('There is nothing to see here.\n');
}

async function sendState(parts: ServerParts, agent: AgentAddress, reply: FastifyReply): Promise<FastifyReply> {
  try {
    const [status, tasks] = await Promise.all([
      readStatus(parts, agent, TIMELINE_TYPES, true),
      // Without a worker, the rest of the page is still useful.
      readTasks(parts, agent).catch(() => []),
    ]);
    const state = stateView(
      status,
      tasks.filter((task) => task.status !== 'deleted'),
      `/${agent.id}`,
    );
    return await reply.headers(PAGE_HEADERS).send(stateDocument(`${status.slug} · ${status.phase}`, state));
  } catch (error) {
    if (error instanceof MurmurError && error.code === 'NOT_FOUND') return await closed(reply);
    throw error;
  }
}

async function streamEvents(
  parts: ServerParts,
  watch: TokenWatch,
  visit: Visit,
  request: FastifyRequest,
  reply: FastifyReply,
  stopping: AbortSignal,
): Promise<FastifyReply> {
  const { agent } = visit;
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  // The end of the visit ends the stream. A browser that reconnects is rejected.
  const signal = visitEnd(parts, watch, visit, AbortSignal.any([gone.signal, stopping]));
  const last = Number(request.headers['last-event-id'] ?? Number.NaN);
  const after = Number.isSafeInteger(last) && last >= 0 ? last : await beginningOf(parts, agent);
  const stream = new EventStream(reply, parts.timing.heartbeat, signal);
  let phase: Phase | undefined;
  try {
    for await (const entry of followToEnd(parts, agent, after, signal)) {
      if (entry.event.type === 'phase' && isTerminal(entry.event.phase)) phase = entry.event.phase;
      await stream.send({ id: String(entry.id), data: sessionLine(entry) });
    }
    // The page reconnects after an interrupted stream.
    if (!signal.aborted) await stream.send({ name: 'end', data: phase === undefined ? {} : { phase } });
  } finally {
    stream.close();
    gone.abort();
  }
  return reply;
}

async function beginningOf(parts: ServerParts, agent: AgentAddress): Promise<number> {
  const [first] = await parts.events.tail(agent.id, TAIL);
  return (first?.id ?? 1) - 1;
}
