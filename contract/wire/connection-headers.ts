// HTTP headers that concern one connection, and not what is passed on over it (RFC 9110, 7.6.1). No imports.

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

/** Names, in lower case, of those of a message: the usual ones, and those that its `Connection` header names. */
export function connectionHeaders(connection: string | undefined): ReadonlySet<string> {
  const named = (connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return new Set([...ALWAYS, ...named]);
}
