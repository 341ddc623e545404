// How a program on a machine learns that it runs for an agent. No imports.

/** Environment variable with the path of the `AgentFile`: the same for every program of the machine, whosever it is. */
export const AGENT_FILE = 'MURMUR_AGENT_FILE';

/** Environment variable with the agent's workflow id, for the agent's own scripts. */
export const AGENT_ID = 'MURMUR_WORKFLOW_ID';

/**
 * `<machine>/run/agent/murmur.json`, mode 0600 and the agent's own: written when the session is opened, replaced whenever it
 * is opened again, removed when the runner stops. A machine that is nobody's yet has none.
 */
export interface AgentFile {
  /** Workflow id. */
  readonly agent?: string;
  /** The agent's own token. */
  readonly token?: string;
  /** The machine's own port for the API server; absent while the agent has no Murmur. */
  readonly api_url?: string;
}
