// Traces and metrics over OTLP/HTTP. Without settings nothing of OpenTelemetry is loaded.
import type { TelemetrySettings } from '../../config/telemetry.ts';
import type { Telemetry, TelemetrySource } from './telemetry.ts';

/**
 * Starts to export; undefined without settings. A collector that cannot be reached never disturbs the process. Disposing
 * sends what is left, within 2 s.
 */
export async function openTelemetry(
  settings: TelemetrySettings | undefined,
  source: TelemetrySource,
): Promise<Telemetry | undefined> {
  if (settings === undefined) return undefined;
  const { startExport } = await import('./otlp.ts');
  return startExport(settings, source);
}
