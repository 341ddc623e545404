// Describes the caller, and the server.
import { absolutePathOf } from '../../contract/wire/identity.ts';
import type { Handler } from '../handler.ts';

export const auth: Handler<'auth'> = async (parts, _input, call) => {
  const { created_at: createdAt, expires_at: expiresAt } = call.token;
  const { agent, rights } = call.caller;
  return await Promise.resolve({
    account: call.account,
    ...(agent === undefined ? {} : { agent: absolutePathOf(agent) }),
    ...(rights === undefined ? {} : { rights }),
    workspace: agent?.workspace ?? parts.settings.workspace,
    token: {
      source: parts.tokens.source,
      created_at: createdAt,
      ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
    },
  });
};

export const version: Handler<'version'> = async (parts, _input, call) =>
  await Promise.resolve({
    server_version: parts.settings.version,
    api_host: call.host,
    temporal: parts.settings.temporal,
  });
