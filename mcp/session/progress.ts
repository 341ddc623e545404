// Progress notifications of one call. They keep it alive: clients count their time limit from the last one.
import type { ProgressToken, ServerNotification } from '@modelcontextprotocol/sdk/types.js';
import { progressLineOf } from '../../contract/mcp-call.ts';

export interface ProgressTeller {
  /** Tells one progress event of the operation; told again when nothing follows. */
  readonly tell: (progress: unknown) => void;
  /** Nothing is told after this. */
  end(): void;
}

/** Tells nothing to a client that gave no token. */
export function tellProgress(
  token: ProgressToken | undefined,
  send: (notification: ServerNotification) => Promise<void>,
  heartbeatMs: number,
): ProgressTeller {
  if (token === undefined) return { tell: () => undefined, end: () => undefined };
  let count = 0;
  let latest: string | undefined;
  const notify = (): void => {
    count += 1;
    const params = { progressToken: token, progress: count, ...(latest === undefined ? {} : { message: latest }) };
    // A client that has gone hears nothing more; its call is aborted elsewhere.
    send({ method: 'notifications/progress', params }).catch(() => undefined);
  };
  let heartbeat = setInterval(notify, heartbeatMs);
  return {
    tell(progress) {
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
