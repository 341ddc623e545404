// Where agents reach the API server, as this host sees it. Read again for each session: the server may start after the
// worker, and on another port.
import type { ServerAddress } from '../contract/wire/runner.ts';
import type { Environment } from './environment.ts';
import { textOf } from './environment.ts';
import type { HomePaths } from './home.ts';
import { readStackFile } from './stack-file.ts';

/**
 * `MURMUR_API_URL`, or the embedded stack's. Undefined when nothing was started, and for a URL that is not plain http:
 * what an agent sends goes to its machine's own loopback port and is relayed as it is, which TLS would refuse.
 */
export function apiAddress(env: Environment, home: HomePaths): ServerAddress | undefined {
  const url = URL.parse(textOf(env, 'MURMUR_API_URL') ?? readStackFile(home)?.server.url ?? '');
  if (url?.protocol !== 'http:') return undefined;
  // A host in brackets is an IPv6 address, which sockets take without them.
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port === '' ? 80 : Number(url.port) };
}
