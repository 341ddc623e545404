// Filters headers between a browser and a server on an agent's machine. That server has the same origin as the API and
// the agents' pages, and must neither see nor set their data.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { connectionHeaders } from '../../contract/wire/connection-headers.ts';
import { isListed } from '../../contract/wire/name-pattern.ts';

/**
 * `referer` contains the URL, which is the key. `host` and `origin` are replaced. A cookie cannot be the machine's,
 * because it cannot set one here: it belongs to other servers on our host or to a proxy.
 */
const NOT_SENT = ['host', 'origin', 'referer', 'cookie', 'cookie2', 'via', 'forwarded'];

/** Headers with which proxies and tunnels describe the person or the connection. `*` is a wildcard. */
const OF_PROXIES = [
  'cdn-loop',
  'cf-*',
  'client-cert*',
  'client-ip',
  'fastly-*',
  'fly-*',
  'remote-*',
  'ssl-client-*',
  'tailscale-*',
  'true-client-*',
  'x-amzn-oidc-*',
  'x-arr-*',
  'x-auth-request-*',
  'x-authentik-*',
  'x-azure-*',
  'x-client-cert*',
  'x-client-dn',
  'x-client-ip',
  'x-client-verify',
  'x-cluster-client-ip',
  'x-envoy-*',
  'x-forwarded*',
  'x-goog-authenticated-*',
  'x-goog-iap-*',
  'x-ms-client-principal*',
  'x-ms-token-*',
  'x-ngrok-*',
  'x-original-*',
  'x-pomerium-*',
  'x-real-*',
  'x-remote-*',
  'x-ssl-*',
  'x-tailscale-*',
  'x-vercel-*',
  'x-vouch-*',
  'x-webauth-*',
];
/** Passed on: it identifies nobody, and servers need it to build their URLs. */
const OF_PROXIES_SENT = ['x-forwarded-proto'];

/** Headers that would affect our whole origin or weaken the page's sandbox. */
const NOT_ANSWERED = [
  'set-cookie',
  'clear-site-data',
  'strict-transport-security',
  'service-worker-allowed',
  'alt-svc',
  'nel',
  'report-to',
  'reporting-endpoints',
  'origin-agent-cluster',
  'referrer-policy',
];

const OWN_TOKEN = /\bmur_/;
/**
 * Schemes that a browser sends by itself, with the person's password or ticket, after any server of the origin has
 * requested it. Challenges are not passed on either: the browser would send the password to other machines' servers
 * too.
 */
const BROWSERS_OWN = /\b(?:basic|digest|negotiate|ntlm|kerberos)\b/i;

/**
 * A page from a machine is in a sandbox without an origin: it can neither read data of our origin nor send our cookies.
 */
const SANDBOX = [
  'sandbox',
  'allow-scripts',
  'allow-forms',
  'allow-modals',
  'allow-downloads',
  'allow-popups',
  'allow-popups-to-escape-sandbox',
].join(' ');

/**
 * The headers for the server on the machine.
 * @param isPublic whether a proxy may be in front of us: then an Authorization header may be the proxy's
 */
export function headersToMachine(
  headers: IncomingHttpHeaders,
  port: number,
  prefix: string,
  isPublic: boolean,
): OutgoingHttpHeaders {
  const ofConnection = connectionHeaders(headers.connection);
  const passed = Object.entries(headers).filter(
    ([name]) => !NOT_SENT.includes(name) && !ofConnection.has(name) && !isOfProxy(name),
  );
  const { authorization, ...rest } = Object.fromEntries(passed);
  const host = `localhost:${String(port)}`;
  return {
    ...rest,
    ...(typeof authorization !== 'string' || isPublic || isForeign(authorization) ? {} : { authorization }),
    host,
    ...(headers.origin === undefined ? {} : { origin: `http://${host}` }),
    'x-forwarded-host': headers.host ?? '',
    'x-forwarded-prefix': prefix,
  };
}

/** Whether the value cannot come from the page's own scripts. */
function isForeign(authorization: string): boolean {
  return OWN_TOKEN.test(authorization) || BROWSERS_OWN.test(authorization.split(' ', 1)[0] ?? '');
}

function isOfProxy(name: string): boolean {
  return isListed(name, OF_PROXIES) && !OF_PROXIES_SENT.includes(name);
}

/** The headers for the browser. */
export function headersFromMachine(
  headers: IncomingHttpHeaders,
  request: IncomingHttpHeaders,
  port: number,
  prefix: string,
): OutgoingHttpHeaders {
  const ofConnection = connectionHeaders(headers.connection);
  const passed = Object.entries(headers).filter(
    ([name, value]) =>
      !NOT_ANSWERED.includes(name) &&
      !ofConnection.has(name) &&
      !(name === 'www-authenticate' && BROWSERS_OWN.test(String(value))),
  );
  const own = headers['content-security-policy'];
  const location = headers.location === undefined ? undefined : locationOf(headers.location, port, prefix);
  return {
    ...Object.fromEntries(passed),
    ...(location === undefined ? {} : { location }),
    'content-security-policy': own === undefined ? SANDBOX : [own, SANDBOX].flat().join(', '),
    'referrer-policy': 'no-referrer',
    ...corsHeaders(request),
  };
}

/** The sandboxed page has the origin `null`. It needs these headers to load its modules and data. */
export function corsHeaders({ origin }: IncomingHttpHeaders): OutgoingHttpHeaders {
  return origin === 'null' ? { 'access-control-allow-origin': 'null', vary: 'origin' } : {};
}

/** Rewrites a redirect within the server to the port's URL. */
function locationOf(location: string, port: number, prefix: string): string {
  const path = location.replace(new RegExp(`^https?://(?:localhost|127\\.0\\.0\\.1):${String(port)}(?=/|$)`), '');
  return path === '' || (path.startsWith('/') && !path.startsWith('//')) ? `${prefix}${path}` : path;
}
