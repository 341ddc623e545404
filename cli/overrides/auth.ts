// `auth`: shows the caller's account, and recreates the owner's token if it is missing or invalid.
import { access, constants } from 'node:fs/promises';
import { connect, settingsOf } from '../connection.ts';
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
    context.terminal.progress(`token: ${isOverridden(invocation) ? 'MURMUR_TOKEN' : settings.home.token}`);
  },
};

/** The token is recreated only in a home that this user may write, and not if it is from the environment. */
async function mend(invocation: Invocation, settings: Settings): Promise<void> {
  if (isOverridden(invocation)) return;
  const { home } = settings;
  const writable = await access(home.root, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable) return;
  const done = await ensureToken(home, settings.account);
  if (done !== undefined) invocation.context.terminal.progress(`${done} the token in ${home.token}`);
}

function isOverridden({ context }: Invocation): boolean {
  return (context.env['MURMUR_TOKEN'] ?? '') !== '' || (context.env['MURMUR_API_URL'] ?? '') !== '';
}
