// The export of traces and metrics, configured by OpenTelemetry's own variables. Fast to load, because the CLI uses it
// too.
import { MurmurError } from '../contract/wire/errors.ts';
import type { Environment } from './environment.ts';
import { countOf, textOf } from './environment.ts';

export interface TelemetrySettings {
  /** Base URL of an OTLP/HTTP collector, without trailing slash. */
  readonly endpoint: string;
  /** Sent with each export. May contain credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** Interval of metric exports, in milliseconds. */
  readonly metricIntervalMs: number;
}

/** OpenTelemetry's default, a minute, is long for people who wait for the effect of a change. */
const METRIC_INTERVAL_MS = 10_000;

/**
 * Undefined unless OTEL_EXPORTER_OTLP_ENDPOINT is set and OTEL_SDK_DISABLED is not `true`. Throws INVALID_ARGUMENT when
 * the endpoint is not an http or https URL.
 */
export function telemetrySettings(env: Environment): TelemetrySettings | undefined {
  const endpoint = textOf(env, 'OTEL_EXPORTER_OTLP_ENDPOINT');
  if (endpoint === undefined || textOf(env, 'OTEL_SDK_DISABLED') === 'true') return undefined;
  if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    const what = `OTEL_EXPORTER_OTLP_ENDPOINT is ${JSON.stringify(endpoint)}: it needs an http or https URL`;
    throw new MurmurError('INVALID_ARGUMENT', what, {
      hint: 'name an OTLP/HTTP collector, such as http://localhost:4318',
    });
  }
  return {
    endpoint: endpoint.replace(/\/+$/, ''),
    headers: headersOf(textOf(env, 'OTEL_EXPORTER_OTLP_HEADERS') ?? ''),
    metricIntervalMs: countOf(env, 'OTEL_METRIC_EXPORT_INTERVAL') ?? METRIC_INTERVAL_MS,
  };
}

/** Parses `key=value` pairs separated by commas, with percent-encoded values. */
function headersOf(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').flatMap((pair) => {
    const [name = '', ...value] = pair.split('=');
    return name.trim() === '' || value.length === 0 ? [] : [[name.trim(), decoded(value.join('=').trim())]];
  });
  return Object.fromEntries(pairs) as Readonly<Record<string, string>>;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
