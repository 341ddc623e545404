// Who may talk to the server at all: programs that name it by its own name, and no foreign page in a browser.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MurmurError } from '../contract/wire/errors.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Whose pages may lead to the route. Absent: only our own. `links`: any, by a link that a person follows.
     * `everyone`: any, in every way, since nothing but the URL gives access.
     */
    openTo?: 'links' | 'everyone';
  }
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** Sent with every answer: nothing here is a page, and nothing may be kept or framed. */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** Refuses foreign hosts and origins before anything else is read. */
export function addGuard(app: FastifyInstance, hosts: readonly string[]): void {
  const allowed = allowedHosts(hosts);
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(SECURITY_HEADERS);
    const problem = hostProblem(request.headers.host, allowed) ?? originProblem(request);
    if (problem !== undefined) throw new MurmurError('PERMISSION_DENIED', problem);
    await Promise.resolve();
  });
}

/** The names in a Host header that are answered: loopback and these, in lower case. */
export function allowedHosts(hosts: readonly string[]): ReadonlySet<string> {
  return new Set([...LOOPBACK, ...hosts.map((host) => host.toLowerCase())]);
}

/**
 * Why a Host header is refused, or undefined. A page can make a name of its own point to 127.0.0.1; the browser then
 * still sends that name.
 */
export function hostProblem(host = '', allowed: ReadonlySet<string>): string | undefined {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return allowed.has(name) ? undefined : `the server does not answer to the host ${JSON.stringify(host.slice(0, 80))}`;
}

/** Browsers tell where a request comes from, simple ones without preflight too. */
function originProblem(request: FastifyRequest): string | undefined {
  const { origin, host } = request.headers;
  const { openTo } = request.routeOptions.config;
  if (openTo === 'everyone' || (openTo === 'links' && isFollowedLink(request))) return undefined;
  if (origin !== undefined && origin !== `http://${host ?? ''}` && origin !== `https://${host ?? ''}`) {
    return `requests from the page ${JSON.stringify(origin.slice(0, 80))} are refused`;
  }
  const site = request.headers['sec-fetch-site'];
  // `none` is a person who typed the address.
  return site === undefined || site === 'same-origin' || site === 'none'
    ? undefined
    : 'requests from a page of another site are refused';
}

/** A person goes to the page: what another page loads, frames or sends is none. */
function isFollowedLink({ method, headers }: FastifyRequest): boolean {
  const dest = headers['sec-fetch-dest'];
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && dest === 'document';
}
