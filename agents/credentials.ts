// What an agent gets by reference: spawn-time secrets, and the token that makes it a caller of its own.
import type { AgentSpec } from '../contract/wire/agent.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import { AGENT_TOKEN } from '../contract/wire/tokens.ts';
import type { SecretStore } from '../drivers/secrets/secret-store.ts';
import { mintToken } from '../drivers/tokens/token.ts';
import type { TokenStore } from '../drivers/tokens/token-store.ts';

/** Where credentials are kept. */
export interface CredentialStores {
  readonly secrets: SecretStore;
  readonly tokenStore: TokenStore;
}

/** Mints the agent's token and stores it with its secrets. A spawn that is sent again changes nothing. */
export async function storeCredentials(
  { secrets, tokenStore }: CredentialStores,
  spec: AgentSpec,
  given: { readonly secrets: Readonly<Record<string, string>>; readonly rights?: 'owner' | undefined },
): Promise<void> {
  if (spec.secrets === undefined || spec.token_id === undefined) return;
  // A spawn that is sent again must not replace the token of an agent that already has it.
  const stored = await secrets.get(spec.secrets.ref);
  if (stored[AGENT_TOKEN] !== undefined && (await tokenStore.get(spec.token_id)) !== undefined) return;
  const token = await mintToken(tokenStore, {
    id: spec.token_id,
    account: spec.identity.account,
    agent: workflowIdOf(spec.identity),
    ...(given.rights === undefined ? {} : { rights: given.rights }),
    created_at: spec.created_at,
  });
  await secrets.put(spec.secrets.ref, { ...given.secrets, [AGENT_TOKEN]: token });
}

/** Takes them back from an agent that was not started. */
export async function dropCredentials({ secrets, tokenStore }: CredentialStores, spec: AgentSpec): Promise<void> {
  if (spec.token_id !== undefined) await tokenStore.delete(spec.token_id);
  if (spec.secrets !== undefined) await secrets.delete(spec.secrets.ref);
}
