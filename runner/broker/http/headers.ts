// Which headers pass the broker, in both directions: those that git's and git-lfs's protocols use. Imports nothing of
// Murmur.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { cookieHeader } from './cookies.ts';
import { readFileSync } from 'node:fs';
import type { HttpSettings } from './settings.ts';

const TO_SERVER = [
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-type',
  'git-protocol',
  'pragma',
  'range',
  'user-agent',
];
const TO_CLIENT = [
  'accept-ranges',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'lfs-authenticate',
  'pragma',
  'retry-after',
];

/** A request's headers for the server. An agent with its own credentials gets none of the owner's. */
export function headersForServer(
  client: IncomingHttpHeaders,
  url: URL,
  settings: HttpSettings,
  authorization: string | undefined,
): OutgoingHttpHeaders {
  const passed = Object.fromEntries(TO_SERVER.flatMap((name) => pair(name, client[name])));
  if (client.authorization !== undefined) return { ...passed, host: url.host, authorization: client.authorization };
  const cookie = settings.cookieFile === undefined ? undefined : cookieHeader(fileOr(settings.cookieFile), url);
  return {
    ...passed,
    host: url.host,
    ...(settings.userAgent === undefined ? {} : { 'user-agent': settings.userAgent }),
    ...(cookie === undefined ? {} : { cookie }),
    ...extraHeaders(settings.headers),
    ...(authorization === undefined ? {} : { authorization }),
  };
}

/** Values that `headersForServer` has added for the owner: authorization, cookies and extra headers. */
export function ownersValues(sent: OutgoingHttpHeaders): readonly string[] {
  const added = Object.entries(sent).filter(([name]) => name !== 'host' && !TO_SERVER.includes(name));
  return added.flatMap(([, value]) => [value ?? []].flat().map(String));
}

/** A response's headers for the agent: no cookie, no challenge, no address of another place. */
export function headersForClient(server: IncomingHttpHeaders, more: readonly string[] = []): OutgoingHttpHeaders {
  return Object.fromEntries([...TO_CLIENT, ...more].flatMap((name) => pair(name, server[name])));
}

function extraHeaders(lines: readonly string[]): OutgoingHttpHeaders {
  const headers: Record<string, string[]> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    headers[name] = [...(headers[name] ?? []), line.slice(colon + 1).trim()];
  }
  // Node rejects lists for headers with one value. The last value counts.
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  );
}

function pair(name: string, value: string | string[] | undefined): readonly [string, string | string[]][] {
  return value === undefined ? [] : [[name, value]];
}

function fileOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Curl treats a missing file as empty.
    return '';
  }
}
