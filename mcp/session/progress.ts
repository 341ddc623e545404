// Progress notifications of one call. They keep the call alive: clients restart their time limit at each one.
import type { ProgressToken, ServerNotification } from '@modelcontextprotocol/sdk/types.js';
import { progressLineOf } from '../../contract/mcp-call.ts';

export interface ProgressReporter {
  /** Reports a progress event of the operation. The last one is repeated as heartbeat. */
  readonly report: (progress: unknown) => void;
  /** Ends the notifications. */
  end(): void;
}

/** Sends nothing to a client that gave no token. */
export function reportProgress(
  token: ProgressToken | undefined,
  send: (notification: ServerNotification) => Promise<void>,
  heartbeatMs: number,
): ProgressReporter {
  if (token === undefined) return { report: () => undefined, end: () => undefined };
  let count = 0;
  let latest: string | undefined;
  const notify = (): void => {
    count += 1;
    const params = { progressToken: token, progress: count, ...(latest === undefined ? {} : { message: latest }) };
    // Fails after the client has disconnected; its call is aborted elsewhere.
    send({ method: 'notifications/progress', params }).catch(() => undefined);
  };
  let heartbeat = setInterval(notify, heartbeatMs);
  return {
    report(progress) {
      const line = progressLineOf(progress);
      if (line === latest) return;
      latest = line;
      clearInterval(heartbeat);
      heartbeat = setInterval(notify, heartbeatMs);
      notify();
    },
    end: () => clearInterval(heartbeat),
  };
}
