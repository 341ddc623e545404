// The span of one command or call of a tool, sent to a collector by hand: loading OpenTelemetry would take longer than
// most of them.
import { randomBytes } from 'node:crypto';
import { formatTraceparent, parseTraceparent } from '../contract/wire/trace.ts';

/** Somebody waits for the end of the program, and for this long at most when the collector does not answer. */
const EXPORT_MS = 1_000;

/** Values of OpenTelemetry's protocol: the kind of the span, and the status of a failed one. */
const KIND_CLIENT = 3;
const STATUS_ERROR = 2;

/** Where spans are sent. */
export interface Collector {
  /** Base URL, without a slash at its end. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface CallTrace {
  /** For the requests of the command or tool. */
  readonly traceparent: string;
  /** Sends the span, within a second. A collector that cannot be reached is not reported. */
  end(outcome: { readonly name: string; readonly failed: boolean }): Promise<void>;
}

/** Begins the span, beneath the one that the caller's `traceparent` names if it has given one. */
export function beginTrace(collector: Collector, version: string, inherited: string | undefined): CallTrace {
  const parent = parseTraceparent(inherited);
  const traceId = parent?.traceId ?? randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  const startTimeUnixNano = nowInNanoseconds();
  return {
    traceparent: formatTraceparent(traceId, spanId, parent?.flags ?? 1),
    end: async ({ name, failed }) => {
      if (parent !== undefined && (parent.flags & 1) === 0) return;
      const span = {
        traceId,
        spanId,
        ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
        name,
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
      await send(collector, { resourceSpans: [{ resource: { attributes }, scopeSpans }] });
    },
  };
}

async function send({ endpoint, headers }: Collector, body: object): Promise<void> {
  const { post } = await import('./exchange.ts');
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
