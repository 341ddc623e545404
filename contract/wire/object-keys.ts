// Keys in the object store. No imports.

/** The record of an ended agent. */
export function recordKey(agentId: string): string {
  return `agents/${agentId}/record.json`;
}

/** An upload: what is known of it, and its content. */
export function uploadKeys(id: string): { readonly about: string; readonly content: string } {
  return { about: `uploads/${id}/about.json`, content: `uploads/${id}/content` };
}

/** The number of bytes that the agent has uploaded. */
export function uploadTotalKey(agentId: string): string {
  return `agents/${agentId}/uploads.json`;
}

/** Prefix of the agent's snapshots. */
export function snapshotsPrefix(agentId: string): string {
  return `agents/${agentId}/snapshots`;
}
