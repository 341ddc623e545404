// Where traces and metrics are sent.
import { describe, expect, it } from '@jest/globals';
import { telemetrySettings } from '../../config/telemetry.ts';

describe('telemetry', () => {
  it('is off without an endpoint, and when the SDK is disabled', () => {
    expect(telemetrySettings({})).toBeUndefined();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318', OTEL_SDK_DISABLED: 'true' };
    expect(telemetrySettings(env)).toBeUndefined();
  });

  it("uses endpoint, headers and interval of OpenTelemetry's variables", () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318/',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a=b, authorization=Bearer%20x,broken',
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
    };
    expect(telemetrySettings(env)).toEqual({
      endpoint: 'http://localhost:4318',
      headers: { 'api-key': 'a=b', authorization: 'Bearer x' },
      metricIntervalMs: 5_000,
    });
  });

  it('rejects an endpoint that is not an http or https URL', () => {
    expect(() => telemetrySettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4317' })).toThrow(
      'OTEL_EXPORTER_OTLP_ENDPOINT is "localhost:4317": it needs an http or https URL',
    );
  });
});
