// A span for each call of a tool, and its place in a trace for the requests that the call makes.
import type { Environment } from '../config/environment.ts';
import { telemetrySettings } from '../config/telemetry.ts';
import { parseTraceparent } from '../contract/wire/trace.ts';

export interface CallTraces {
  /**
   * Runs the work of a call within a span and returns its result. The span belongs to the client's trace if the client
   * names one, else to that of TRACEPARENT, else to a new one. Without a collector there is no span, and the work
   * receives the client's trace.
   */
  within<Answer>(
    tool: string,
    told: string | undefined,
    work: (traceparent: string | undefined) => Promise<Answer>,
  ): Promise<Answer>;
  /** Resolves once all spans are sent, within a second of the last call. */
  sent(): Promise<void>;
}

/** Throws INVALID_ARGUMENT for a collector's address that is none. */
export function openTraces(env: Environment, version: string): CallTraces {
  const settings = telemetrySettings(env);
  const sending = new Set<Promise<void>>();
  return {
    async within(tool, told, work) {
      const inherited = parseTraceparent(told) === undefined ? env['TRACEPARENT'] : told;
      if (settings === undefined) return await work(parseTraceparent(inherited) && inherited);
      // Not before the first call: most sessions make none.
      const { beginTrace } = await import('../client/trace.ts');
      const trace = beginTrace(settings, version, inherited);
      let failed = true;
      try {
        const answer = await work(trace.traceparent);
        failed = false;
        return answer;
      } finally {
        // The client does not wait for the collector.
        const sent = trace.end({ name: `tools/call ${tool}`, failed });
        sending.add(sent);
        void sent.finally(() => sending.delete(sent));
      }
    },
    sent: async () => void (await Promise.allSettled(sending)),
  };
}
