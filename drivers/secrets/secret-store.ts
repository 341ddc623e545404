// The port to spawn-time secrets: values by reference, so that Temporal's history never holds one.
// Implementations: directory (0600 files) and memory.

export interface SecretStore {
  /** Stores name → value under the reference, replacing earlier values. */
  put(ref: string, values: Readonly<Record<string, string>>): Promise<void>;
  /** The values; empty when the reference is unknown. */
  get(ref: string): Promise<Readonly<Record<string, string>>>;
  /** No-op when the reference is unknown. */
  delete(ref: string): Promise<void>;
}
