// Secrets in memory, for tests.
import { checkSecretRef } from './secret-ref.ts';
import type { SecretStore } from './secret-store.ts';

/** A store that lives as long as the process. */
export function createMemorySecretStore(): SecretStore {
  const secrets = new Map<string, Readonly<Record<string, string>>>();
  return {
    async put(ref, values) {
      checkSecretRef(ref);
      secrets.set(ref, { ...values });
    },
    async get(ref) {
      checkSecretRef(ref);
      return { ...secrets.get(ref) };
    },
    async delete(ref) {
      checkSecretRef(ref);
      secrets.delete(ref);
    },
  };
}
