// Sends the span of one command to a collector, without OpenTelemetry: loading it would take longer than most commands.
import { randomBytes } from 'node:crypto';
import type { TelemetrySettings } from '../config/telemetry.ts';
import { formatTraceparent, parseTraceparent } from '../contract/wire/trace.ts';

/** The export delays the command by this much if the collector does not answer, in milliseconds. */
const EXPORT_MS = 1_000;

/** Values of OpenTelemetry's protocol: the kind of the span, and the status of a failed one. */
const KIND_CLIENT = 3;
const STATUS_ERROR = 2;

export interface CommandTrace {
  /** Header for the command's calls. */
  readonly traceparent: string;
  /** Sends the span. A collector that cannot be reached is not reported. */
  end(outcome: { readonly command: string; readonly failed: boolean }): Promise<void>;
}

/** Begins the span. Its parent is the span in TRACEPARENT, if set. */
export function beginTrace(settings: TelemetrySettings, version: string, inherited: string | undefined): CommandTrace {
  const parent = parseTraceparent(inherited);
  const traceId = parent?.traceId ?? randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  const startTimeUnixNano = nowInNanoseconds();
  return {
    traceparent: formatTraceparent(traceId, spanId, parent?.flags ?? 1),
    end: async ({ command, failed }) => {
      if (parent !== undefined && (parent.flags & 1) === 0) return;
      const span = {
        traceId,
        spanId,
        ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
        name: `murmur ${command}`,
        kind: KIND_CLIENT,
        startTimeUnixNano,
        endTimeUnixNano: nowInNanoseconds(),
        status: failed ? { code: STATUS_ERROR } : {},
      };
      const attributes = Object.entries({ 'service.name': 'murmur', 'service.version': version }).map(
        ([key, value]) => ({
          key,
          value: { stringValue: value },
        }),
      );
      const scopeSpans = [{ scope: { name: 'murmur', version }, spans: [span] }];
      await send(settings, { resourceSpans: [{ resource: { attributes }, scopeSpans }] });
    },
  };
}

async function send({ endpoint, headers }: TelemetrySettings, body: object): Promise<void> {
  const { post } = await import('../client/exchange.ts');
  await post(`${endpoint}/v1/traces`, {
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(EXPORT_MS),
  }).then(
    (answer) => void answer.destroy(),
    () => undefined,
  );
}

function nowInNanoseconds(): string {
  return `${Date.now().toString()}000000`;
}
