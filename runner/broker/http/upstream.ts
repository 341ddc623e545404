// Requests to git servers with the owner's TLS settings and proxies.
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import { connectProxy, lazyTls, proxyFor, proxyHeaders, tunnel } from './route.ts';
import type { HttpSettings } from './settings.ts';

/** Servers keep idle connections for at least five seconds. After three, a server is not about to close one. */
const IDLE_MS = 3_000;
/** Files with the system's trusted certificates, for Node versions that cannot read the system store. */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];

export interface UpstreamRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly settings: HttpSettings;
}

/** Connections to servers, kept open for a short time between requests. */
export class Upstream {
  readonly #env: NodeJS.ProcessEnv;
  readonly #plain = new HttpAgent({ keepAlive: true, timeout: IDLE_MS });
  /** By proxy and TLS settings: requests share a connection only if both are the same. */
  readonly #secure = new Map<string, HttpsAgent>();

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** Starts a request; the caller writes the body and handles `error`. Throws for settings that cannot be applied. */
  begin({ method, url, headers, settings }: UpstreamRequest): ClientRequest {
    const proxy = proxyFor(url, settings, this.#env);
    const place = { method, host: hostOf(url), port: url.port, path: `${url.pathname}${url.search}` };
    if (url.protocol === 'https:') {
      const agent = this.#secureAgent(proxy, settings);
      const tls: ConnectionOptions = tlsOf(settings, this.#env);
      const identity = isIP(place.host) === 0 ? { servername: place.host } : {};
      const { request } = process.getBuiltinModule('node:https');
      return request({ ...tls, ...place, ...identity, headers, agent });
    }
    if (proxy === undefined) return httpRequest({ ...place, headers, agent: this.#plain });
    return httpRequest({
      method,
      path: `${url.origin}${place.path}`,
      headers: { ...headers, ...proxyHeaders(proxy) },
      createConnection: (_, done) => {
        connectProxy(proxy, () => tlsOf(settings, this.#env)).then(
          (socket) => done?.(null, socket),
          (error: unknown) => done?.(error as Error, undefined as never),
        );
        return undefined;
      },
    });
  }

  /** Closes the idle connections. */
  close(): void {
    this.#plain.destroy();
    for (const agent of this.#secure.values()) agent.destroy();
  }

  #secureAgent(proxy: URL | undefined, settings: HttpSettings): HttpsAgent {
    const key = JSON.stringify([proxy?.href, settings.verify, filesKey(settings, this.#env)]);
    const known = this.#secure.get(key);
    if (known !== undefined) return known;
    const { Agent } = process.getBuiltinModule('node:https');
    const agent = new Agent({ keepAlive: true, timeout: IDLE_MS });
    if (proxy !== undefined) {
      agent.createConnection = (options, done) => {
        const { port, path: _, host = '', ...rest } = options as ConnectionOptions;
        const target = `${isIP(host) === 6 ? `[${host}]` : host}:${String(port ?? 443)}`;
        tunnel(proxy, target, () => tlsOf(settings, this.#env)).then(
          // The certificate is checked against `host`.
          (socket) => done?.(null, lazyTls().connect({ ...rest, host, socket })),
          (error: unknown) => done?.(error as Error, undefined as never),
        );
        return undefined;
      };
    }
    this.#secure.set(key, agent);
    return agent;
  }
}

/** The response to a request whose body was sent or is being sent. */
export async function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.once('response', resolve);
  request.once('error', reject);
  return promise;
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Shared by the machines of a process: reading the system's certificates takes 50 ms. */
const contexts = new Map<string, SecureContext>();
/** More than the different settings of one host. Each context takes a megabyte. */
const CONTEXTS = 16;

type Tls = Required<Pick<ConnectionOptions, 'rejectUnauthorized' | 'secureContext'>>;

function tlsOf(settings: HttpSettings, env: NodeJS.ProcessEnv): Tls {
  const key = filesKey(settings, env);
  const known = contexts.get(key);
  if (known !== undefined) return { rejectUnauthorized: settings.verify, secureContext: known };
  const { caFile, caFolder, certificate, key: keyFile } = settings;
  const own = certificate === undefined ? undefined : readFileSync(certificate);
  const secureContext = lazyTls().createSecureContext({
    ca: [...(caFile === undefined ? systemCertificates(env) : [readFileSync(caFile, 'utf8')]), ...filesIn(caFolder)],
    // As in curl, the key may be in the certificate's file.
    ...(own === undefined ? {} : { cert: own, key: keyFile === undefined ? own : readFileSync(keyFile) }),
  });
  if (contexts.size >= CONTEXTS) contexts.clear();
  contexts.set(key, secureContext);
  return { rejectUnauthorized: settings.verify, secureContext };
}

/** Changes with each of the files: certificates may be renewed while agents run. */
function filesKey({ caFile, caFolder, certificate, key }: HttpSettings, env: NodeJS.ProcessEnv): string {
  const files = [caFile, caFolder, certificate, key, ...(caFile === undefined ? namedIn(env) : [])];
  return JSON.stringify(
    files.map((file) => [file, file === undefined ? 0 : statSync(file, { throwIfNoEntry: false })?.mtimeMs]),
  );
}

/** The certificates that git trusts by default: the system's, and those that the environment adds. */
function systemCertificates(env: NodeJS.ProcessEnv): string[] {
  const tls = lazyTls();
  const named = namedIn(env).filter((file) => existsSync(file));
  const added = named.map((file) => readFileSync(file, 'utf8'));
  if (typeof tls.getCACertificates === 'function') {
    return [...new Set([...tls.getCACertificates('default'), ...tls.getCACertificates('system')]), ...added];
  }
  const bundle = BUNDLES.find((file) => existsSync(file));
  return [...tls.rootCertificates, ...(bundle === undefined ? [] : [readFileSync(bundle, 'utf8')]), ...added];
}

function namedIn(env: NodeJS.ProcessEnv): readonly string[] {
  return ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'].flatMap((name) => env[name] || []);
}

/** The certificates in a folder of OpenSSL. */
function filesIn(folder: string | undefined): string[] {
  if (folder === undefined) return [];
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
  return files
    .map(({ name }) => readFileSync(path.join(folder, name), 'utf8'))
    .filter((text) => text.includes('BEGIN CERTIFICATE'));
}
