// Where things lie in the object store. Loaded by server and worker: no imports.

/** The record of an ended agent. */
export function recordKey(agentId: string): string {
  return `agents/${agentId}/record.json`;
}

/** Everything about the agent's snapshots. */
export function snapshotsPrefix(agentId: string): string {
  return `agents/${agentId}/snapshots`;
}
