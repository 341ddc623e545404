// Where things lie in the object store. Loaded by server and worker: no imports.

/** The record of an ended agent. */
export function recordKey(agentId: string): string {
  return `agents/${agentId}/record.json`;
}

/** An upload: what is known of it, and its content. */
export function uploadKeys(id: string): { readonly about: string; readonly content: string } {
  return { about: `uploads/${id}/about.json`, content: `uploads/${id}/content` };
}

/** How many bytes the agent has uploaded. */
export function uploadTotalKey(agentId: string): string {
  return `agents/${agentId}/uploads.json`;
}

/** Everything about the agent's snapshots. */
export function snapshotsPrefix(agentId: string): string {
  return `agents/${agentId}/snapshots`;
}
