// Reads temporal-dev.yaml, the description of the embedded Temporal server, and builds its command line.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { MurmurError } from '../../contract/wire/errors.ts';

/** The content of temporal-dev.yaml. */
export interface DevServerDescription {
  readonly namespace: string;
  readonly ports: { readonly grpc: number; readonly ui: number };
  readonly sqlite_pragmas: Readonly<Record<string, string>>;
  readonly dynamic_config: Readonly<Record<string, unknown>>;
  /** Name → type. */
  readonly search_attributes: Readonly<Record<string, string>>;
}

/** The ports of a server, all chosen. */
export interface DevServerPorts {
  readonly grpc: number;
  readonly ui: number;
  /** Temporal's HTTP API, used for readiness checks. */
  readonly http: number;
  readonly metrics: number;
}

const SECTIONS = ['namespace', 'ports', 'sqlite_pragmas', 'dynamic_config', 'search_attributes'];

/** Throws INVALID_ARGUMENT that names file and key of an invalid description. */
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

/** Which parts of the server other processes of the host can use. */
export interface DevServerExposure {
  /** The only Host header that the HTTP API accepts; any when absent. */
  readonly httpHost?: string;
  /** Disables the Web UI. */
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
    // Ignores the caller's profiles, which are for other servers.
    ...['--disable-config-file', '--disable-config-env'],
    ...pairs('--sqlite-pragma', description.sqlite_pragmas, (value) => value),
    ...pairs('--dynamic-config-value', { ...description.dynamic_config, ...hosts }, (value) => JSON.stringify(value)),
    ...pairs('--search-attribute', description.search_attributes, (value) => value),
  ];
}

function pairs<T>(flag: string, values: Readonly<Record<string, T>>, text: (value: T) => string): string[] {
  return Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${text(value)}`]);
}
