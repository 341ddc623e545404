// How the embedded Temporal is started: behind a relay in a network namespace of its own, or in the open where the host
// has no namespaces.
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
  /** Of the relay: those of the Web UI first, that of gRPC last. Unused in the open. */
  readonly sockets: Listeners['descriptors'];
  readonly env: NodeJS.ProcessEnv;
}

/** A dev server ends within 1.5 s; a busy machine gets several times that. */
const GRACE_MS = 10_000;

/** Temporal's own ports: nobody else listens in the namespace. */
const INSIDE: DevServerPorts = { grpc: 7233, ui: 8233, http: 7243, metrics: 9233 };

/** Runs the words after it; the files that it makes are the owner's alone. */
const PRIVATE_FILES = ['-c', 'umask 077 && exec "$@"', 'sh'] as const;

/** What a program needs of the caller's environment to run at all. */
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
 * How far Temporal's heap grows before Go collects it, in percent of what is live; Go's own default is 100. The end of
 * a tree of 100 agents takes Temporal 24 ms of processor time per agent with 100, 21 with 200 and 18 with 400, and its
 * resident memory is 270, 340 and 460 MB then. Whoever sets GOGC decides differently.
 */
const HEAP_GROWTH_PERCENT = '300';

/** Makes certificates where they are needed. */
export async function temporalStart(settings: StackSettings, options: StartOptions): Promise<TemporalStart> {
  // No page knows it, so that none can use the HTTP port, which cannot be switched off.
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

/** How the HTTP form of its API is asked. Throws when the files of the certificates cannot be read or used. */
export async function temporalHttp(record: StackRecord['temporal']): Promise<TemporalHttp> {
  const { http_host: host = '', http_url: url = '', tls: files } = record ?? {};
  if (files === undefined) return { url, host };
  const [ca, cert, key] = await Promise.all([files.ca, files.certificate, files.key].map((file) => readFile(file)));
  // A question that fails counts as not yet ready: what can never succeed is told here.
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
