// How the embedded Temporal is started: behind a relay in its own network namespace, or open on a host without
// namespaces.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { StackRecord } from '../../contract/stack.ts';
import { devServerArgs, type DevServerDescription, type DevServerPorts } from '../temporal/dev-server.ts';
import { entryOf, programEnvironment } from '../programs.ts';
import type { StackPorts } from '../ports.ts';
import type { RelayOrder } from '../relay/order.ts';
import { makeCertificates } from '../network/certificates.ts';
import type { NetworkIsolation } from '../network/isolation.ts';
import { FIRST_DESCRIPTOR, type Listeners } from '../network/listeners.ts';
import type { ChildSpec } from './child.ts';
import type { TemporalHttp } from './readiness.ts';
import type { StackSettings } from './settings.ts';

export interface TemporalStart {
  readonly spec: ChildSpec;
  readonly record: NonNullable<StackRecord['temporal']>;
}

interface StartOptions {
  readonly binary: string;
  readonly network: NetworkIsolation;
  readonly description: DevServerDescription;
  readonly ports: StackPorts['temporal'];
  /** Sockets of the relay: those of the Web UI, then the one of gRPC. Unused without a relay. */
  readonly sockets: Listeners['descriptors'];
  readonly env: NodeJS.ProcessEnv;
}

/** A dev server ends within 1.5 s. A busy machine gets several times that. */
const GRACE_MS = 10_000;

/** Temporal's default ports: no other program listens in the namespace. */
const INSIDE: DevServerPorts = { grpc: 7233, ui: 8233, http: 7243, metrics: 9233 };

/** Runs the words after it with a umask for files that only the owner may read. */
const PRIVATE_FILES = ['-c', 'umask 077 && exec "$@"', 'sh'] as const;

/** Variables of the caller's environment that are passed on. */
const PLAIN = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'LANG',
  'LC_ALL',
  'TZ',
  'XDG_CACHE_HOME',
  'GOGC',
  'GOMEMLIMIT',
];

/**
 * How far Temporal's heap grows before Go collects garbage, in percent of live memory; Go's default is 100. Ending a
 * tree of 100 agents takes Temporal 24 ms of processor time per agent with 100, 21 with 200 and 18 with 400. Its
 * resident memory is then 270, 340 and 460 MB. A GOGC in the environment overrides it.
 */
const HEAP_GROWTH_PERCENT = '300';

/** Creates certificates if they are needed. */
export async function temporalStart(settings: StackSettings, options: StartOptions): Promise<TemporalStart> {
  // A random host name, so that web pages cannot use the HTTP port, which cannot be disabled.
  const httpHost = randomBytes(16).toString('hex');
  return 'open' in options.network
    ? startOpen(settings, options, options.network.open, httpHost)
    : await startBehindRelay(settings, options, options.network, httpHost);
}

/** Without the Web UI: it answers to every page and every process. */
function startOpen(
  { home }: StackSettings,
  { binary, description, env, ports }: StartOptions,
  reason: string,
  httpHost: string,
): TemporalStart {
  const exposure = { httpHost, headless: true };
  return {
    spec: {
      name: 'temporal',
      command: '/bin/sh',
      args: [...PRIVATE_FILES, binary, ...devServerArgs(description, ports, home.temporal.database, exposure)],
      env: plainEnvironment(env),
      graceMs: GRACE_MS,
    },
    record: {
      address: addressOf(ports.grpc),
      namespace: description.namespace,
      embedded: true,
      open: reason,
      http_url: `http://${addressOf(ports.http)}`,
      http_host: httpHost,
    },
  };
}

async function startBehindRelay(
  { home }: StackSettings,
  { binary, description, env, ports, sockets }: StartOptions,
  { command: [program = '', ...words], setpriv }: Extract<NetworkIsolation, { readonly setpriv: string }>,
  httpHost: string,
): Promise<TemporalStart> {
  const { client, server } = await makeCertificates(home.temporal.tls);
  const inherited = sockets.map((_, index) => FIRST_DESCRIPTOR + index);
  const order: RelayOrder = {
    setpriv,
    binary,
    args: devServerArgs(description, INSIDE, home.temporal.database, { httpHost }),
    inside: INSIDE,
    tls: server,
    ui: { port: ports.ui, keyFile: home.temporal.uiKey },
    descriptors: { ui: inherited.slice(0, -1), tls: inherited.at(-1) ?? FIRST_DESCRIPTOR },
  };
  return {
    spec: {
      name: 'temporal',
      command: program,
      args: [...words, process.execPath, entryOf('relay'), JSON.stringify(order)],
      env: programEnvironment(plainEnvironment(env)),
      sockets,
      graceMs: GRACE_MS,
    },
    record: {
      address: addressOf(ports.grpc),
      namespace: description.namespace,
      embedded: true,
      tls: client,
      ui_port: ports.ui,
      http_url: `https://${addressOf(ports.grpc)}`,
      http_host: httpHost,
    },
  };
}

/** Access to Temporal's HTTP API. Throws when the certificates cannot be read or are invalid. */
export async function temporalHttp(record: StackRecord['temporal']): Promise<TemporalHttp> {
  const { http_host: host = '', http_url: url = '', tls: files } = record ?? {};
  if (files === undefined) return { url, host };
  const [ca, cert, key] = await Promise.all([files.ca, files.certificate, files.key].map((file) => readFile(file)));
  // Validated here: later, a failing request would only count as not yet ready.
  createSecureContext({ ca, cert, key });
  return { url, host, tls: { ca, cert, key, servername: files.server_name } };
}

function addressOf(port: number): string {
  return `127.0.0.1:${port.toString()}`;
}

function plainEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    GOGC: HEAP_GROWTH_PERCENT,
    ...Object.fromEntries(Object.entries(env).filter(([name]) => PLAIN.includes(name))),
  };
}
