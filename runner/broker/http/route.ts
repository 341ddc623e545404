// Connects the broker to a server, directly or through the owner's proxy.
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { BlockList, connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { once } from 'node:events';
import type { HttpSettings } from './settings.ts';

/** `node:tls` takes 4 ms to load, and most runners start without an https repository. */
export function lazyTls(): typeof import('node:tls') {
  return process.getBuiltinModule('node:tls');
}

/** The proxy for a URL, chosen as curl does: `http.proxy`, then the environment. Undefined for none. */
export function proxyFor(url: URL, settings: HttpSettings, env: NodeJS.ProcessEnv): URL | undefined {
  const secure = url.protocol === 'https:';
  const named = secure ? (env['https_proxy'] ?? env['HTTPS_PROXY']) : env['http_proxy'];
  const text = settings.proxy ?? (named || env['all_proxy'] || env['ALL_PROXY']);
  if (text === undefined || text === '') return undefined;
  if (isExempt(url.hostname, env['NO_PROXY'] ?? env['no_proxy'] ?? '')) return undefined;
  const proxy = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (proxy === null) throw new Error('the address of the proxy is not a URL');
  if (proxy.protocol === 'http:' || proxy.protocol === 'https:') return proxy;
  throw new Error(`a proxy of the kind ${proxy.protocol}// is not supported; use an http proxy`);
}

/** Whether `NO_PROXY` names the host, a parent domain, or a network that contains its address. */
export function isExempt(hostname: string, list: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      const bare = entry
        .toLowerCase()
        .replace(/^\*?\./, '')
        .replace(/^\[(.*)\]$/, '$1');
      return entry === '*' || host === bare || host.endsWith(`.${bare}`) || isWithin(host, bare);
    });
}

function isWithin(host: string, network: string): boolean {
  const [address = '', bits] = network.split('/');
  const family = isIP(host);
  if (bits === undefined || family === 0 || isIP(address) !== family) return false;
  const [kind, most] = family === 4 ? (['ipv4', 32] as const) : (['ipv6', 128] as const);
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), kind);
  return list.check(host, kind);
}

/** Header lines for the proxy; empty when its URL has no user. */
export function proxyHeaders(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` };
}

/** A connection to the proxy itself. */
export async function connectProxy(proxy: URL, tls: () => ConnectionOptions): Promise<Socket> {
  const host = proxy.hostname.replace(/^\[(.*)\]$/, '$1');
  const secure = proxy.protocol === 'https:';
  const port = Number(proxy.port || (secure ? 443 : 80));
  const socket = secure
    ? lazyTls().connect({ ...tls(), host, port, ...(isIP(host) === 0 ? { servername: host } : {}) })
    : connect({ host, port });
  await once(socket, secure ? 'secureConnect' : 'connect');
  return socket;
}

/** A connection to a host through a proxy. Throws the proxy's answer when it refuses. */
export async function tunnel(proxy: URL, target: string, tls: () => ConnectionOptions): Promise<Socket> {
  const connection = await connectProxy(proxy, tls);
  const request = httpRequest({
    method: 'CONNECT',
    path: target,
    headers: { host: target, ...proxyHeaders(proxy) },
    createConnection: () => connection,
  });
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  request.once('error', reject);
  request.once('response', (answer) => reject(new Error(`the proxy answers ${String(answer.statusCode)}`)));
  request.once('connect', (answer: IncomingMessage, socket: Socket, head: Buffer) => {
    if (answer.statusCode !== 200) {
      socket.destroy();
      return reject(new Error(`the proxy answers ${String(answer.statusCode)} ${answer.statusMessage ?? ''}`.trim()));
    }
    if (head.length > 0) socket.unshift(head);
    resolve(socket);
  });
  request.end();
  return promise;
}
