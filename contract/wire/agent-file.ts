// The file from which a program on a machine learns for which agent it runs. No imports.

/** Environment variable with the path of the `AgentFile`. It is the same for every program of the machine. */
export const AGENT_FILE = 'MURMUR_AGENT_FILE';

/** Environment variable with the agent's workflow id, for the agent's own scripts. */
export const AGENT_ID = 'MURMUR_WORKFLOW_ID';

/**
 * `<machine>/run/agent/murmur.json`, mode 0600, owned by the agent's user. Written when the session is opened, replaced
 * when it is opened again, and removed when the runner stops. A machine without an agent has no such file.
 */
export interface AgentFile {
  /** Workflow id. */
  readonly agent?: string;
  /** The agent's own token. */
  readonly token?: string;
  /** The machine's own port for the API server; absent when the agent has no access to Murmur. */
  readonly api_url?: string;
}
