// Keys in the object store. No imports.

/** The record of an ended agent; of its latest life, when its id has had several. */
export function recordKey(agentId: string): string {
  return `agents/${agentId}/record.json`;
}

/** The record of an earlier life of the agent's id, by its spawn. No agent's record lies here, whatever its slug. */
export function pastRecordKey(agentId: string, spawnId: string): string {
  return `past/${agentId}/${spawnId}.json`;
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
