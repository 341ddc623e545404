// `version`: shows the client's version even without a server.
import { ERRORS, MurmurError } from '../../contract/wire/errors.ts';
import { COMMIT } from '../build-info.ts';
import { keyValues } from '../present/table.ts';
import type { CommandOverride } from '../override.ts';

/** Short, because `version` should not wait for a server that is being restarted, in milliseconds. */
const RETRY_MS = 500;

export const versionOverride: CommandOverride = {
  async standalone({ context, json, parsed }, settings) {
    const client = { client_version: context.version, ...(COMMIT === undefined ? {} : { client_commit: COMMIT }) };
    const clientText = `${context.version} (${COMMIT ?? 'checkout'})`;
    const { apiUrl: url, token } = settings;
    if (url === undefined || parsed.flags.has('client')) {
      if (json) context.terminal.json(client);
      else context.terminal.line(keyValues([['Client', clientText]]));
      return;
    }
    const { createClient } = await import('../../client/index.ts');
    const server = await createClient({ url, token, retryForMs: RETRY_MS })
      .call('version', {}, { signal: context.signal })
      .catch(unreachable);
    if (json) {
      context.terminal.json(
        server instanceof MurmurError ? { ...client, error: server.toBody() } : { ...client, ...server },
      );
      return;
    }
    const commit = server instanceof MurmurError ? undefined : server.server_commit;
    context.terminal.line(
      keyValues([
        ['Client', clientText],
        ['API', server instanceof MurmurError ? new URL(url).host : server.api_host],
        [
          'Server',
          server instanceof MurmurError
            ? server.message
            : `${server.server_version}${commit === undefined ? '' : ` (${commit})`}`,
        ],
      ]),
    );
  },
};

/** An error of the call becomes part of the answer; any other error is thrown. */
function unreachable(error: unknown): MurmurError {
  if (error instanceof MurmurError && ERRORS[error.code].exit !== ERRORS.INTERNAL.exit) return error;
  throw error;
}
