// Which headers pass between a browser and a server on an agent's machine. The server shares our origin with the API and
// the agents' pages, and must neither see nor set what belongs to those.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/** They concern one connection (RFC 9110, 7.6.1); node writes its own. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** `referer` holds the URL, which is the key; `host` and `origin` are replaced. */
const NOT_SENT = [...HOP_BY_HOP, 'host', 'origin', 'referer', 'forwarded', 'x-forwarded-for'];

/** What would act on our whole origin, or loosen what holds the page. */
const NOT_ANSWERED = [
  ...HOP_BY_HOP,
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

/** Cookies and tokens of Murmur's own. */
const OWN_COOKIE = 'murmur_';
const OWN_TOKEN = /\bmur_/;

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

/** What the server on the machine is sent. */
export function headersToMachine(headers: IncomingHttpHeaders, port: number, prefix: string): OutgoingHttpHeaders {
  const named = listOf(headers.connection);
  const passed = Object.entries(headers).filter(([name]) => !NOT_SENT.includes(name) && !named.includes(name));
  const { authorization, cookie, ...rest } = Object.fromEntries(passed);
  const cookies = (headers.cookie ?? '').split(/; */).filter((each) => each !== '' && !each.startsWith(OWN_COOKIE));
  const host = `localhost:${String(port)}`;
  return {
    ...rest,
    ...(typeof authorization !== 'string' || OWN_TOKEN.test(authorization) ? {} : { authorization }),
    ...(cookie === undefined || cookies.length === 0 ? {} : { cookie: cookies.join('; ') }),
    host,
    ...(headers.origin === undefined ? {} : { origin: `http://${host}` }),
    'x-forwarded-host': headers.host ?? '',
    'x-forwarded-prefix': prefix,
  };
}

/** What the browser is answered. */
export function headersFromMachine(
  headers: IncomingHttpHeaders,
  request: IncomingHttpHeaders,
  port: number,
  prefix: string,
): OutgoingHttpHeaders {
  const named = listOf(headers.connection);
  const passed = Object.entries(headers).filter(([name]) => !NOT_ANSWERED.includes(name) && !named.includes(name));
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

function listOf(header: string | undefined): readonly string[] {
  return (header ?? '').split(',').map((name) => name.trim().toLowerCase());
}
