// HTTP headers that belong to one connection and must not be forwarded (RFC 9110, 7.6.1). No imports.

const ALWAYS = [
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

/** Their names in lower case, for a message: the usual ones and those that its `Connection` header lists. */
export function connectionHeaders(connection: string | undefined): ReadonlySet<string> {
  const named = (connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return new Set([...ALWAYS, ...named]);
}
