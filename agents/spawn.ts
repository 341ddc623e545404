// What is stored before an agent is started, and taken back when it was not.
import type { AgentSpec } from '../contract/wire/agent.ts';
import type { CredentialStores } from './credentials.ts';
import { dropCredentials, storeCredentials } from './credentials.ts';
import { dropSeal, sealSpec } from './sealed.ts';
import type { SealStores } from './sealed.ts';
import { dropText } from './texts.ts';

/**
 * Stores token, secrets and seal of an agent; answers the spec to start it with, which is that of the first attempt. A spawn
 * that is sent again changes nothing. It throws only once nothing is being stored any more: `discardSpawn` then finds everything.
 */
export async function prepareSpawn(
  stores: CredentialStores & SealStores,
  spec: AgentSpec,
  given: Parameters<typeof storeCredentials>[2],
): Promise<AgentSpec> {
  const [sealed, stored] = await Promise.allSettled([sealSpec(stores, spec), storeCredentials(stores, spec, given)]);
  if (sealed.status === 'rejected') throw sealed.reason;
  if (stored.status === 'rejected') throw stored.reason;
  return sealed.value;
}

/** Takes token, secrets, seal and prompt back from an agent that was not started. */
export async function discardSpawn(stores: CredentialStores & SealStores, spec: AgentSpec): Promise<void> {
  await dropCredentials(stores, spec);
  await dropSeal(stores, spec);
  await dropText(stores.objects, spec.prompt);
}
