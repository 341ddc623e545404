// `auth`: shows the caller's account, and recreates the owner's token if it is missing or invalid.
import { access, constants } from 'node:fs/promises';
import { connect, settingsOf } from '../connection.ts';
import { agentFileOf, readAgentFile } from '../../config/agent-file.ts';
import type { Settings } from '../../config/settings.ts';
import { ensureToken } from '../../stack/token.ts';
import type { Invocation } from '../command.ts';
import { present } from '../present/results.ts';
import type { CommandOverride } from '../override.ts';

export const authOverride: CommandOverride = {
  async standalone(invocation, settings) {
    const { context, json } = invocation;
    await mend(invocation, settings);
    const mended = await settingsOf(context);
    const { client } = await connect(context, mended);
    const result = await client.call('auth', {}, { signal: context.signal });
    if (json) {
      context.terminal.json(result);
      return;
    }
    present('auth', result, context.terminal, {});
    context.terminal.progress(`token: ${foreignSource(invocation) ?? settings.home.token}`);
  },
};

/** The token is recreated only in a home that this user may write, and not if it comes from elsewhere. */
async function mend(invocation: Invocation, settings: Settings): Promise<void> {
  if (foreignSource(invocation) !== undefined) return;
  const { home } = settings;
  const writable = await access(home.root, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable) return;
  const done = await ensureToken(home, settings.account);
  if (done !== undefined) invocation.context.terminal.progress(`${done} the token in ${home.token}`);
}

/** Where the token comes from when it is not that of MURMUR_HOME. */
function foreignSource({ context: { env } }: Invocation): string | undefined {
  if ((env['MURMUR_TOKEN'] ?? '') !== '' || (env['MURMUR_API_URL'] ?? '') !== '') return 'MURMUR_TOKEN';
  return readAgentFile(env) === undefined ? undefined : agentFileOf(env);
}
