// Creates, lists and revokes people's own tokens.
import { randomBytes } from 'node:crypto';
import { durationMs } from '../../contract/schema/duration.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import type { StoredToken } from '../../drivers/tokens/token-store.ts';
import type { ServerParts } from '../parts.ts';
import type { Call, Handler } from '../handler.ts';

export const authTokenCreate: Handler<'auth_token_create'> = async (parts, input, call) => {
  const id = `token-${randomBytes(6).toString('hex')}`;
  const now = Date.now();
  const expiry =
    input.expires_in === undefined ? {} : { expires_at: new Date(now + durationMs(input.expires_in)).toISOString() };
  const token = await mintToken(parts.tokenStore, {
    id,
    account: call.account,
    ...(input.label === undefined || input.label === '' ? {} : { label: input.label }),
    created_at: new Date(now).toISOString(),
    ...expiry,
  });
  return { id, token, ...expiry };
};

export const authTokenLs: Handler<'auth_token_ls'> = async (parts, _input, call) => {
  const tokens = await ownTokens(parts, call);
  return tokens
    .toSorted((left, right) => (left.created_at < right.created_at ? -1 : 1))
    .map(({ id, label, created_at, expires_at }) => ({
      id,
      ...(label === undefined ? {} : { label }),
      created_at,
      ...(expires_at === undefined ? {} : { expires_at }),
    }));
};

export const authTokenRevoke: Handler<'auth_token_revoke'> = async (parts, input, call) => {
  const own = await ownTokens(parts, call);
  if (!own.some(({ id }) => id === input.id)) {
    throw new MurmurError('NOT_FOUND', `you have no token ${JSON.stringify(input.id)}`, {
      hint: 'list them with `murmur auth token ls`',
      details: { id: input.id },
    });
  }
  await parts.tokenStore.delete(input.id);
  return { id: input.id, message: `revoked ${input.id}` };
};

async function ownTokens(parts: ServerParts, call: Call): Promise<readonly StoredToken[]> {
  const all = await parts.tokenStore.list();
  return all.filter(({ account, agent }) => account === call.account && agent === undefined);
}
