// The broker's http proxy on the machine's loopback. It forwards requests of the agent's git to the server and adds the
// owner's access. It terminates TLS of `https` URLs, with a certificate that only the agent's git trusts.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { CallerGit } from '../../git/caller-git.ts';
import type { BrokerAccess } from '../access.ts';
import { makeCertificate } from './certificate.ts';
import type { HttpCredentials } from './credentials.ts';
import { exchange } from './exchange.ts';
import type { ExchangeContext } from './follow.ts';
import { Refusal } from './refusal.ts';
import { NewestConnections } from '../../identity/newest-connections.ts';
import { lazyTls } from './route.ts';
import { gitHttpRequest } from './target.ts';
import { Upstream } from './upstream.ts';

/** A git command opens one connection, git-lfs eight. More than a hundred commands at once have to wait. */
const CONNECTIONS = 128;
/**
 * Every process of the host can connect. Connections that have not sent the key are counted separately. Git sends it
 * with its first bytes. At the limit, the oldest such connection is closed.
 */
const UNAUTHENTICATED_LIMIT = 128;
const AUTHENTICATION_LIMIT_MS = 10_000;
/** Path of a request that came by a rewritten URL: `/https/host:port/path`. */
const REWRITTEN = /^\/(https?)\/([^/]+)(\/.*)$/s;

export interface GitProxyOptions {
  readonly git: CallerGit;
  readonly access: BrokerAccess;
  readonly credentials: HttpCredentials;
}

/** What the agent's git needs beside a way to the proxy. */
export interface GitProxyIdentity {
  /** Every process of the host can connect to the port: this alone is served. */
  readonly key: string;
  /** PEM of the proxy's certificate for https. */
  readonly certificate: string;
}

/** How the agent's git reaches the proxy. */
export interface GitProxyAddress extends GitProxyIdentity {
  readonly port: number;
}

export class GitProxy {
  readonly #context: ExchangeContext;
  readonly #key = randomBytes(32).toString('hex');
  /** The origin for which a connection was opened. */
  readonly #origins = new WeakMap<object, string>();
  readonly #sockets = new Set<Duplex>();
  /** Connections that have not sent the key. */
  readonly #unauthenticated = new NewestConnections(UNAUTHENTICATED_LIMIT, AUTHENTICATION_LIMIT_MS);
  readonly #server: Server;
  #listening: Promise<number> | undefined;
  #isEnding = false;
  #secure: { readonly names: string; readonly cert: string; readonly context: SecureContext } | undefined;
  /** Authorities, with port, for which the proxy terminates TLS. */
  #hosts: ReadonlySet<string> = new Set();

  constructor({ git, access, credentials }: GitProxyOptions) {
    this.#context = { git, access, credentials, upstream: new Upstream(git.env), moved: new Map() };
    this.#server = createServer((request, response) => void this.#answer(request, response));
    // A push takes as long as its data needs. It ends with its client.
    this.#server.requestTimeout = 0;
    this.#server.on('connection', (socket) => {
      this.#keep(socket);
      if (!this.#origins.has(socket)) this.#unauthenticated.add(socket);
    });
    this.#server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#keep(socket);
      this.#connect(request, socket, head);
    });
  }

  /** Starts listening on a free port of 127.0.0.1 at the first call. `urls` are the http URLs that may be requested. */
  async serve(urls: readonly string[]): Promise<GitProxyAddress> {
    const identity = this.answerFor(urls);
    this.#listening ??= this.#listen();
    return { ...identity, port: await this.#listening };
  }

  /** Serves these http URLs, on connections that `accept` is given too. */
  answerFor(urls: readonly string[]): GitProxyIdentity {
    const places = urls.map((url) => new URL(url)).filter(({ protocol }) => protocol === 'https:');
    const hosts = [...new Set(places.map(({ hostname }) => hostname.replace(/^\[(.*)\]$/, '$1')))];
    this.#hosts = new Set(places.map(authorityOf));
    this.#context.moved.clear();
    this.#certify(hosts);
    return { key: this.#key, certificate: this.#secure?.cert ?? '' };
  }

  /** Serves a connection that another server accepted. Bytes that were read from it must have been unshifted. */
  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
    // The reader of its first line has paused it.
    socket.resume();
  }

  /** Ends every connection and its requests, and serves none from now on. Keeps the port. */
  endRequests(): void {
    this.#isEnding = true;
    for (const socket of this.#sockets) socket.destroy();
    this.#context.upstream.close();
  }

  /** Does the same and gives up the port: another process can take it. No-op if it never listened. */
  async close(): Promise<void> {
    this.endRequests();
    await this.#listening?.catch(() => undefined);
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#listening === undefined) resolve();
    else this.#server.close(() => resolve());
    await promise;
  }

  /** Keeps the certificate while the hosts are the same: a git command may be in progress. */
  #certify(hosts: readonly string[]): void {
    const names = hosts.join(' ');
    if (names === (this.#secure?.names ?? '')) return;
    const own = makeCertificate(hosts);
    // `ca` only avoids reading the system's certificates: clients send none.
    const context = lazyTls().createSecureContext({ ...own, ca: own.cert, minVersion: 'TLSv1.2' });
    this.#secure = names === '' ? undefined : { names, cert: own.cert, context };
  }

  async #listen(): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(0, '127.0.0.1', resolve);
    try {
      await promise;
    } catch (error) {
      // The host may have had no free file descriptor. The next call tries again.
      this.#listening = undefined;
      throw error;
    }
    // Accepting can fail when file descriptors run out. Only that connection is lost.
    this.#server.on('error', () => undefined);
    return (this.#server.address() as AddressInfo).port;
  }

  #keep(socket: Duplex): void {
    if (this.#isEnding) socket.destroy();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // A client that disconnects is not an error.
    socket.on('error', () => socket.destroy());
  }

  /** A connection with TLS inside counts as two sockets. */
  #isFull(): boolean {
    return this.#sockets.size - this.#unauthenticated.size > 2 * CONNECTIONS;
  }

  /** Whether the request has the key. If so, its connection counts as authenticated. */
  #authenticates(request: IncomingMessage): boolean {
    if (!this.#isOurs(request)) return false;
    this.#unauthenticated.release(request.socket);
    return true;
  }

  /** Terminates TLS for a host of the agent's repositories and serves the requests inside. */
  #connect(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const refuse = (line: string, text: string): void => {
      socket.end(`HTTP/1.1 ${line}\r\ncontent-type: text/plain\r\ncontent-length: ${text.length}\r\n\r\n${text}`);
    };
    if (!this.#authenticates(request))
      return refuse('407 Proxy Authentication Required', 'murmur: invalid proxy key\n');
    const authority = (request.url ?? '').toLowerCase();
    if (this.#isFull()) return refuse('503 Service Unavailable', 'murmur: too many connections\n');
    const secureContext = this.#secure?.context;
    if (secureContext === undefined || !this.#hosts.has(authority)) {
      return refuse('403 Forbidden', 'murmur: this is not a host of the repositories of this agent\n');
    }
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) socket.unshift(head);
    const { TLSSocket } = lazyTls();
    const inside = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
    this.#origins.set(inside, `https://${authority.replace(/:443$/, '')}`);
    this.#server.emit('connection', inside);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    try {
      const { origin, path } = this.#placeOf(request);
      const target = gitHttpRequest(request.method ?? '', origin, path);
      if (target === undefined) throw new Refusal(403, 'only git and git-lfs may use this');
      await exchange(target, request, response, this.#context);
    } catch (error) {
      refuse(request, response, error);
    }
  }

  /** The requested server: from the connection, an absolute URL, or a rewritten one. */
  #placeOf(request: IncomingMessage): { origin: string; path: string } {
    const url = request.url ?? '';
    const inside = this.#origins.get(request.socket);
    if (inside !== undefined) return { origin: inside, path: url };
    if (!this.#authenticates(request)) throw new Refusal(407, 'invalid proxy key');
    if (this.#isFull()) throw new Refusal(503, 'too many connections');
    const [, protocol = '', authority = '', path = ''] =
      REWRITTEN.exec(url) ?? /^(http):\/\/([^/]+)(\/.*)$/s.exec(url) ?? [];
    if (!/^(?:\[[0-9a-f:]+\]|[^[\]:@?#\\]+)(?::\d+)?$/i.test(authority)) {
      throw new Refusal(403, "this proxy serves only the agent's repositories");
    }
    const usual = protocol === 'https' ? ':443' : ':80';
    const origin = `${protocol}://${authority.toLowerCase()}`;
    return { origin: origin.endsWith(usual) ? origin.slice(0, -usual.length) : origin, path };
  }

  /** Compares digests in constant time, so that neither timing nor length reveals the key. */
  #isOurs({ headers }: IncomingMessage): boolean {
    const basic = /^Basic (.+)$/i.exec(headers['proxy-authorization'] ?? '')?.[1] ?? '';
    const given =
      headers[KEY_HEADER] ??
      Buffer.from(basic, 'base64')
        .toString('utf8')
        .replace(/^[^:]*:/, '');
    const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
    return timingSafeEqual(digest(String(given)), digest(this.#key));
  }
}

/** Carries the key where URLs are rewritten. */
export const KEY_HEADER = 'x-murmur-git-key';

function authorityOf({ hostname, port }: URL): string {
  return `${hostname}:${port === '' ? '443' : port}`;
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const { message, code } = error as NodeJS.ErrnoException;
  const status = error instanceof Refusal ? error.status : 502;
  const isOurs = error instanceof Refusal || error instanceof MurmurError;
  const text = isOurs ? message : `the server does not answer: ${code ?? message}`;
  const challenge = status === 407 ? { 'proxy-authenticate': 'Basic realm="murmur"' } : {};
  response.writeHead(status, { 'content-type': 'text/plain', connection: 'close', ...challenge });
  response.end(`murmur: ${text}\n`);
  request.resume();
}
