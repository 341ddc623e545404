// Traces and metrics over OTLP/HTTP. Loads OpenTelemetry only when it is configured.
import type { TelemetrySettings } from '../../config/telemetry.ts';
import type { Telemetry, TelemetrySource } from './telemetry.ts';

/**
 * Starts the export; undefined without settings. An unreachable collector never affects the process. Disposing sends
 * the rest, within 2 s.
 */
export async function openTelemetry(
  settings: TelemetrySettings | undefined,
  source: TelemetrySource,
): Promise<Telemetry | undefined> {
  if (settings === undefined) return undefined;
  const { startExport } = await import('./otlp.ts');
  return startExport(settings, source);
}
