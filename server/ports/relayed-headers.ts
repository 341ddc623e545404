// Which headers pass between a browser and a server on an agent's machine. The server shares our origin with the API and
// the agents' pages, and must neither see nor set what belongs to those.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { connectionHeaders } from '../../contract/wire/connection-headers.ts';
import { isListed } from '../../contract/wire/name-pattern.ts';

/**
 * `referer` holds the URL, which is the key; `host` and `origin` are replaced. A cookie is never the machine's, as it can set
 * none here: it belongs to other servers on our host, or to a proxy in front of us.
 */
const NOT_SENT = ['host', 'origin', 'referer', 'cookie', 'cookie2', 'via', 'forwarded'];

/** What proxies and tunnels in front of a server say of the person or of the connection; `*` stands for any rest. */
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
/** Whether the page came by https says nothing of anybody, and servers build their own URLs with it. */
const OF_PROXIES_SENT = ['x-forwarded-proto'];

/** What would act on our whole origin, or loosen what holds the page. */
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
 * What a browser sends by itself, with a password or ticket of the person, once any server of the origin has asked for it.
 * No challenge passes either: the browser would ask for a password that other machines' servers are then sent.
 */
const BROWSERS_OWN = /\b(?:basic|digest|negotiate|ntlm|kerberos)\b/i;

/**
 * A page from a machine is in a sandbox without an origin: it can neither read what belongs to ours nor send our cookies.
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
 * What the server on the machine is sent.
 * @param isPublic whether a proxy may stand in front of us: then an Authorization may be the proxy's own
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

/** Whether the page's own scripts cannot have written it for the server on the machine. */
function isForeign(authorization: string): boolean {
  return OWN_TOKEN.test(authorization) || BROWSERS_OWN.test(authorization.split(' ', 1)[0] ?? '');
}

function isOfProxy(name: string): boolean {
  return isListed(name, OF_PROXIES) && !OF_PROXIES_SENT.includes(name);
}

/** What the browser is answered. */
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

/** The page's own requests come from no origin: without this it could not load its modules and data. */
export function corsHeaders({ origin }: IncomingHttpHeaders): OutgoingHttpHeaders {
  return origin === 'null' ? { 'access-control-allow-origin': 'null', vary: 'origin' } : {};
}

/** A redirect to the server's own root leads back to the port. */
function locationOf(location: string, port: number, prefix: string): string {
  const path = location.replace(new RegExp(`^https?://(?:localhost|127\\.0\\.0\\.1):${String(port)}(?=/|$)`), '');
  return path === '' || (path.startsWith('/') && !path.startsWith('//')) ? `${prefix}${path}` : path;
}
