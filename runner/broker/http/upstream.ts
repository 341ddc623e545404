// Requests to git servers with the owner's TLS settings and proxies.
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { connectProxy, lazyTls, proxyFor, proxyHeaders, tunnel } from './route.ts';
import type { HttpSettings } from './settings.ts';

/** Servers keep an idle connection for five seconds and more: one of three is not about to be closed by them. */
const IDLE_MS = 3_000;
/** Where systems keep the certificates that git trusts, for a Node that cannot ask the system. */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];

export interface UpstreamRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly settings: HttpSettings;
}

/** Connections to servers, kept for a moment between requests. */
export class Upstream {
  readonly #env: NodeJS.ProcessEnv;
  readonly #plain = new HttpAgent({ keepAlive: true, timeout: IDLE_MS });
  readonly #secure = new Map<string, HttpsAgent>();
  #trusted: string[] | undefined;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** Begins a request; the caller writes the body and handles `error`. Throws for settings that cannot be followed. */
  begin({ method, url, headers, settings }: UpstreamRequest): ClientRequest {
    const proxy = proxyFor(url, settings, this.#env);
    const place = { method, host: hostOf(url), port: url.port, path: `${url.pathname}${url.search}` };
    if (url.protocol === 'https:') {
      const tls = this.#tls(url, settings);
      const agent = this.#secureAgent(proxy, tls);
      return process.getBuiltinModule('node:https').request({ ...place, ...tls, headers, agent });
    }
    if (proxy === undefined) return httpRequest({ ...place, headers, agent: this.#plain });
    return httpRequest({
      method,
      path: `${url.origin}${place.path}`,
      headers: { ...headers, ...proxyHeaders(proxy) },
      createConnection: (_, done) => {
        connectProxy(proxy, this.#tls(proxy, settings)).then(
          (socket) => done?.(null, socket),
          (error: unknown) => done?.(error as Error, undefined as never),
        );
        return undefined;
      },
    });
  }

  /** Ends the connections that no request uses. */
  close(): void {
    this.#plain.destroy();
    for (const agent of this.#secure.values()) agent.destroy();
  }

  #secureAgent(proxy: URL | undefined, tls: ConnectionOptions): HttpsAgent {
    const known = this.#secure.get(proxy?.href ?? '');
    if (known !== undefined) return known;
    const { Agent } = process.getBuiltinModule('node:https');
    const agent = new Agent({ keepAlive: true, timeout: IDLE_MS });
    if (proxy !== undefined) {
      agent.createConnection = (options, done) => {
        const { port, path: _, host = '', ...rest } = options as ConnectionOptions;
        const target = `${isIP(host) === 6 ? `[${host}]` : host}:${String(port ?? 443)}`;
        tunnel(proxy, target, tls).then(
          // With the host, as the certificate is compared with it.
          (socket) => done?.(null, lazyTls().connect({ ...rest, host, socket })),
          (error: unknown) => done?.(error as Error, undefined as never),
        );
        return undefined;
      };
    }
    this.#secure.set(proxy?.href ?? '', agent);
    return agent;
  }

  #tls(url: URL, { verify, caFile, caFolder, certificate, key }: HttpSettings): ConnectionOptions {
    const host = hostOf(url);
    const own = certificate === undefined ? undefined : readFileSync(certificate);
    return {
      ...(isIP(host) === 0 ? { servername: host } : {}),
      rejectUnauthorized: verify,
      ca: [...(caFile === undefined ? this.#system() : [readFileSync(caFile, 'utf8')]), ...filesIn(caFolder)],
      // As with curl, the key may be in the certificate's file.
      ...(own === undefined ? {} : { cert: own, key: key === undefined ? own : readFileSync(key) }),
    };
  }

  /** What git trusts without a setting: the system's certificates, and those that the environment adds. */
  #system(): string[] {
    this.#trusted ??= [...systemCertificates(), ...filesNamed(this.#env)];
    return this.#trusted;
  }
}

/** The response to a request whose body has been sent or is on its way. */
export async function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.once('response', resolve);
  request.once('error', reject);
  return promise;
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function systemCertificates(): string[] {
  const tls = lazyTls();
  if (typeof tls.getCACertificates === 'function') {
    return [...new Set([...tls.getCACertificates('default'), ...tls.getCACertificates('system')])];
  }
  const bundle = BUNDLES.find((file) => existsSync(file));
  return [...tls.rootCertificates, ...(bundle === undefined ? [] : [readFileSync(bundle, 'utf8')])];
}

function filesNamed(env: NodeJS.ProcessEnv): string[] {
  const named = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'].flatMap((name) => env[name] ?? []);
  return named.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
}

/** Certificates of a folder as OpenSSL keeps them. */
function filesIn(folder: string | undefined): string[] {
  if (folder === undefined) return [];
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
  return files
    .map(({ name }) => readFileSync(path.join(folder, name), 'utf8'))
    .filter((text) => text.includes('BEGIN CERTIFICATE'));
}
