// Reads temporal-dev.yaml, the one description of the embedded Temporal server, and turns it into a command line.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { MurmurError } from '../../contract/wire/errors.ts';

/** What temporal-dev.yaml says. */
export interface DevServerDescription {
  readonly namespace: string;
  readonly ports: { readonly grpc: number; readonly ui: number };
  readonly sqlite_pragmas: Readonly<Record<string, string>>;
  readonly dynamic_config: Readonly<Record<string, unknown>>;
  /** Name to type. */
  readonly search_attributes: Readonly<Record<string, string>>;
}

/** Where a server listens; every port is chosen. */
export interface DevServerPorts {
  readonly grpc: number;
  readonly ui: number;
  /** The HTTP form of Temporal's API, used for readiness. */
  readonly http: number;
  readonly metrics: number;
}

const SECTIONS = ['namespace', 'ports', 'sqlite_pragmas', 'dynamic_config', 'search_attributes'];

/** Throws INVALID_ARGUMENT naming the file and the key when the description is not usable. */
export async function readDevServer(packageRoot: string): Promise<DevServerDescription> {
  const file = join(packageRoot, 'temporal-dev.yaml');
  const content: unknown = parse(await readFile(file, 'utf8'));
  const keys = typeof content === 'object' && content !== null ? Object.keys(content) : [];
  const wrong = [
    ...keys.filter((key) => !SECTIONS.includes(key)).map((key) => `unknown key ${JSON.stringify(key)}`),
    ...SECTIONS.filter((key) => !keys.includes(key)).map((key) => `no ${key}`),
  ];
  if (wrong.length > 0) throw new MurmurError('INVALID_ARGUMENT', `${file}: ${wrong.join(', ')}`);
  return content as DevServerDescription;
}

/** How much of the server others on the host may find. */
export interface DevServerExposure {
  /** The only Host to which the HTTP form of the API answers; any when absent. */
  readonly httpHost?: string;
  /** Whether there is no Web UI. */
  readonly headless?: boolean;
}

/** Arguments of `temporal` for this description. */
export function devServerArgs(
  description: DevServerDescription,
  ports: DevServerPorts,
  databaseFile: string,
  { headless = false, httpHost }: DevServerExposure = {},
): readonly string[] {
  const hosts = httpHost === undefined ? {} : { 'frontend.httpAllowedHosts': [httpHost] };
  return [
    'server',
    'start-dev',
    ...['--ip', '127.0.0.1'],
    ...['--db-filename', databaseFile],
    ...['--namespace', description.namespace],
    ...['--port', ports.grpc.toString()],
    ...(headless ? ['--headless'] : ['--ui-port', ports.ui.toString()]),
    ...['--http-port', ports.http.toString()],
    ...['--metrics-port', ports.metrics.toString()],
    ...['--log-level', 'warn', '--log-format', 'json', '--color', 'never'],
    '--ui-disable-news-fetch',
    // The caller's own profiles are about other servers.
    ...['--disable-config-file', '--disable-config-env'],
    ...pairs('--sqlite-pragma', description.sqlite_pragmas, (value) => value),
    ...pairs('--dynamic-config-value', { ...description.dynamic_config, ...hosts }, (value) => JSON.stringify(value)),
    ...pairs('--search-attribute', description.search_attributes, (value) => value),
  ];
}

function pairs<T>(flag: string, values: Readonly<Record<string, T>>, text: (value: T) => string): string[] {
  return Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${text(value)}`]);
}
