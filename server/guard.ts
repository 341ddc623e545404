// Rejects requests with a foreign Host header and requests of foreign pages in a browser.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MurmurError } from '../contract/wire/errors.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Pages that may access the route. Absent: only the server's own. `links`: any page, by a link that a person
     * follows. `everyone`: any page in any way, because the URL itself grants access.
     */
    openTo?: 'links' | 'everyone';
  }
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** Sent with every answer, to forbid scripts, caching and framing. */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** Rejects foreign hosts and origins before anything else. */
export function addGuard(app: FastifyInstance, hosts: readonly string[]): void {
  const allowed = allowedHosts(hosts);
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(SECURITY_HEADERS);
    const problem = hostProblem(request.headers.host, allowed) ?? originProblem(request);
    if (problem !== undefined) throw new MurmurError('PERMISSION_DENIED', problem);
    await Promise.resolve();
  });
}

/** The accepted names of a Host header: loopback and `hosts`, in lower case. */
export function allowedHosts(hosts: readonly string[]): ReadonlySet<string> {
  return new Set([...LOOPBACK, ...hosts.map((host) => host.toLowerCase())]);
}

/**
 * Why a Host header is rejected, or undefined. A foreign page can point its domain to 127.0.0.1; the browser then still
 * sends that domain.
 */
export function hostProblem(host = '', allowed: ReadonlySet<string>): string | undefined {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return allowed.has(name) ? undefined : `the server does not answer to the host ${JSON.stringify(host.slice(0, 80))}`;
}

/** Browsers send the origin of a request, also for simple requests without a preflight. */
function originProblem(request: FastifyRequest): string | undefined {
  const { origin, host } = request.headers;
  const { openTo } = request.routeOptions.config;
  if (openTo === 'everyone' || (openTo === 'links' && isFollowedLink(request))) return undefined;
  if (origin !== undefined && origin !== `http://${host ?? ''}` && origin !== `https://${host ?? ''}`) {
    return `requests from the page ${JSON.stringify(origin.slice(0, 80))} are refused`;
  }
  const site = request.headers['sec-fetch-site'];
  // `none`: a person typed the address.
  return site === undefined || site === 'same-origin' || site === 'none'
    ? undefined
    : 'requests from a page of another site are refused';
}

/** Whether a person navigates to the page. Another page's subresources, frames and forms do not count. */
function isFollowedLink({ method, headers }: FastifyRequest): boolean {
  const dest = headers['sec-fetch-dest'];
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && dest === 'document';
}
