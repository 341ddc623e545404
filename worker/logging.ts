// Logs of the worker and of Temporal's SDK, as JSON lines on stdout.
import { Runtime, makeTelemetryFilterString } from '@temporalio/worker';
import type { LogLevel, LogMetadata, Logger as SdkLogger, MetricsExporterConfig } from '@temporalio/worker';
import pino from 'pino';
import type { Logger } from 'pino';
import type { TelemetrySettings } from '../config/telemetry.ts';

/** Levels of the SDK → levels of pino. */
const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** Attributes of the SDK's lines that are logged: names and numbers, never inputs or results. */
const FIELDS = [
  'activityType',
  'activityId',
  'attempt',
  'workflowType',
  'workflowId',
  'runId',
  'taskQueue',
  'sdkComponent',
];

export function createLog(): Logger {
  return pino({ base: { process: 'worker' }, timestamp: pino.stdTimeFunctions.isoTime });
}

/**
 * Installs the SDK's runtime with our log and without its signal handlers, because the worker shuts down in its own
 * order. Must be called before the first connection.
 * @param telemetry where the metrics of Temporal's core are sent
 */
export function installRuntime(log: Logger, telemetry?: TelemetrySettings): void {
  Runtime.install({
    logger: sdkLogger(log),
    shutdownSignals: [],
    telemetryOptions: {
      // At this level, Core reports an unreachable server once a second, and no payloads.
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) },
      ...(telemetry === undefined ? {} : { metrics: coreMetrics(telemetry) }),
    },
  });
}

function coreMetrics({ endpoint, headers, metricIntervalMs }: TelemetrySettings): MetricsExporterConfig {
  const url = `${endpoint}/v1/metrics`;
  return { otel: { url, http: true, headers: { ...headers }, metricsExportInterval: metricIntervalMs } };
}

function sdkLogger(log: Logger): SdkLogger {
  const write = (level: LogLevel, message: string, meta: LogMetadata = {}): void => {
    log[LEVELS[level]](fieldsOf(meta), message);
  };
  return {
    log: write,
    trace: (message, meta) => write('TRACE', message, meta),
    debug: (message, meta) => write('DEBUG', message, meta),
    info: (message, meta) => write('INFO', message, meta),
    warn: (message, meta) => write('WARN', message, meta),
    error: (message, meta) => write('ERROR', message, meta),
  };
}

function fieldsOf(meta: LogMetadata): Record<string, unknown> {
  const fields = Object.fromEntries(
    FIELDS.filter((name) => meta[name] !== undefined).map((name) => [name, meta[name]]),
  );
  const { error } = meta as { readonly error?: unknown };
  // Only the message: the cause of a failure may contain an activity's input.
  return error instanceof Error ? { ...fields, error: error.message } : fields;
}
