// The address of the API server for agents, as seen from this host. Read for each session: the server may start after
// the worker or change its port.
import type { ServerAddress } from '../contract/wire/runner.ts';
import type { Environment } from './environment.ts';
import { textOf } from './environment.ts';
import type { HomePaths } from './home.ts';
import { readStackFile } from './stack-file.ts';

/**
 * `MURMUR_API_URL`, or the embedded stack's. Undefined when nothing was started, and for a URL that is not plain http:
 * an agent sends plain HTTP to a loopback port of its machine, which is relayed unchanged, so a TLS server would reject
 * it.
 */
export function apiAddress(env: Environment, home: HomePaths): ServerAddress | undefined {
  const url = URL.parse(textOf(env, 'MURMUR_API_URL') ?? readStackFile(home)?.server.url ?? '');
  if (url?.protocol !== 'http:') return undefined;
  // Sockets need an IPv6 address without its brackets.
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port === '' ? 80 : Number(url.port) };
}
