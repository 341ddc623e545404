// Log lines of the worker and of Temporal's SDK as JSON lines on stdout.
import { Runtime, makeTelemetryFilterString } from '@temporalio/worker';
import type { LogLevel, LogMetadata, Logger as SdkLogger, MetricsExporterConfig } from '@temporalio/worker';
import pino from 'pino';
import type { Logger } from 'pino';
import type { TelemetrySettings } from '../config/telemetry.ts';

/** Levels of the SDK in pino's words. */
const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** What the SDK attaches to its lines that may be logged: names and numbers. Inputs and results are never among them. */
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
 * Gives the SDK's runtime our log, and takes the signals from it: the worker has its own order of shutting down.
 * To be called before the first connection.
 * @param telemetry where the metrics of Temporal's core go
 */
export function installRuntime(log: Logger, telemetry?: TelemetrySettings): void {
  Runtime.install({
    logger: sdkLogger(log),
    shutdownSignals: [],
    telemetryOptions: {
      // Core reports a server that is down once a second at this level, and nothing of payloads.
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
  // Only the message: the cause of a failure may carry what an activity was given.
  return error instanceof Error ? { ...fields, error: error.message } : fields;
}
