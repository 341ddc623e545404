// Says on stderr that a call is still waiting for its first answer.
import type { MurmurClient } from '../client/index.ts';

/** A person takes a longer silence for a hang. Nearly all calls are answered within a second. */
const SILENCE_MS = 5_000;

/**
 * The client, which tells once per call when nothing has come for `afterMs`: what does not answer, and the reason of
 * the last failed attempt. It goes on waiting as before. A heartbeat is no answer: the server sends it while Temporal is
 * silent.
 */
export function announceSilence(
  client: MurmurClient,
  url: string,
  tell: (text: string) => void,
  afterMs = SILENCE_MS,
): MurmurClient {
  const call: MurmurClient['call'] = async (name, input, options = {}) => {
    let reason = '';
    const timer = setTimeout(() => tell(`no answer from ${url} yet${reason}; still waiting, Ctrl-C gives up`), afterMs);
    const heard = (): void => clearTimeout(timer);
    try {
      return await client.call(name, input, {
        ...options,
        onRetry: (error) => {
          reason = ` (${error.message})`;
          options.onRetry?.(error);
        },
        onProgress: (progress) => {
          heard();
          options.onProgress?.(progress);
        },
      });
    } finally {
      heard();
    }
  };
  return { call, stream: client.stream, wait: async (input, options) => (await call('wait', input, options)) as never };
}
