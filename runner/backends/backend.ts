// The port to agent programs. Runs inside the runner: built-ins and contract/wire only, so that the bundle stays small.
// Implementations: claude and fake.
import type { BackendName } from '../../contract/wire/agent.ts';
import type { SessionEvent } from '../../contract/wire/events.ts';
import type { Cost, TurnError, TurnNotice } from '../../contract/wire/turns.ts';
import type { SpawnContained } from '../isolation/port.ts';

/** An MCP server over stdio: the program starts it, with its own environment and this one. */
export interface McpServer {
  /** Looked up in the session's PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** No secrets: these may appear in command lines. */
  readonly env: Readonly<Record<string, string>>;
}

export interface OpenSession {
  readonly cwd: string;
  /** HOME of the program. Its transcript lies below it. */
  readonly home: string;
  /**
   * UUID: the id that an earlier `open` returned, or one for a new session. Resumes the conversation of that id.
   * Starts a new session if that conversation does not exist, under this id if the program accepts ids, else under the
   * program's own.
   */
  readonly sessionId: string;
  readonly model: string | undefined;
  readonly appendSystemPrompt: string | undefined;
  /**
   * The repository's instructions (`readProjectInstructions`), added to the system prompt. A promise, so that the
   * program can start while the repository is still being cloned. The first turn waits for it. Must not reject.
   */
  readonly projectInstructions?: Promise<string | undefined>;
  /**
   * Existing folder for files of this run. The program must be able to read them, and only the caller may change them.
   * With it, ANTHROPIC_API_KEY goes into a file there, of mode 0600 and owned by `user`. It is then not in the
   * program's environment, which every tool would inherit. Without it, the key stays in `env`.
   */
  readonly runDir?: string;
  /** The user as which `spawn` runs the program, if it is not the caller. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Dollars of the session's earlier turns, from the journal. `total_usd` of `cost` events starts from it. */
  readonly spentUsd?: number;
  /** By name. The model gets their tools from its first request on. A server that does not start is omitted. */
  readonly mcpServers?: Readonly<Record<string, McpServer>>;
  /** Credentials, spawn-time secrets, HOME, PATH and git settings. The program is looked up in its PATH. */
  readonly env: Readonly<Record<string, string>>;
  readonly spawn: SpawnContained;
  /**
   * Makes it a session that only answers, in this JSON schema. It has tools that read, none that write or run anything,
   * and no transcript. It takes one turn, which does not affect the agent's own session.
   */
  readonly answer?: { readonly schema: object };
}

/** An event that a backend reports during a turn. The runner numbers and journals it. */
export type BackendEvent = Exclude<SessionEvent, { type: 'turn_start' | 'turn_complete' | 'session_end' }>;

/** The input of a turn. */
export interface BackendTurn {
  readonly id: string;
  readonly prompt: string;
  /** Whether to report `usage` events. */
  readonly reportsUsage?: boolean;
  /**
   * Called after each tool of the agent itself, not of its subagents. Returns the notice that the model reads with the
   * tool's result, if any. Every returned notice is delivered: a `user_text` event with its id reports it once the
   * program has it, before the next model request.
   */
  readonly nextNotice?: () => TurnNotice | undefined;
}

export interface BackendTurnEnd {
  readonly status: 'completed' | 'interrupted' | 'api_error' | 'limit' | 'crashed';
  /** The agent's last text, in full. */
  readonly response: string;
  readonly error?: TurnError;
  /** The answer of a session that only answers; absent when the model's answer did not match the schema. */
  readonly structured?: unknown;
  /** The cost of this turn alone. */
  readonly cost: Cost;
}

export interface AgentSession {
  /** UUID of the conversation. The next `open` needs it to resume this conversation. */
  readonly sessionId: string;
  /** True when the conversation existed before `open`. */
  readonly resumed: boolean;
  /**
   * Runs one turn. Throws FAILED_PRECONDITION while another one runs. Resolves for every outcome, also when the program
   * dies (`crashed`) or has died before; open the session again after `exited`. Reports events in order before it
   * resolves: `session_start` once per `open`, `user_text` with the prompt first in every turn, `cost` if it cost
   * something, `error` last if it failed.
   */
  turn(turn: BackendTurn, onEvent: (event: BackendEvent) => void): Promise<BackendTurnEnd>;
  /**
   * Ends the running turn. Resolves when the program has accepted the interrupt, or was killed because it did not; then
   * too, the turn ends as `interrupted`. No-op without a turn.
   */
  interrupt(): Promise<void>;
  /** Ends the program: asks it to, waits, kills it. Resolves once it is gone. A running turn ends as `interrupted`. */
  stop(): Promise<void>;
  /** Resolves when the program has ended, for any reason. */
  readonly exited: Promise<{ readonly reason: string }>;
  /** Process id of the program, for clean-up after an interrupt; undefined without a process. */
  readonly pid: number | undefined;
  /** Absolute paths of the conversation's files, for a snapshot. */
  transcriptFiles(): Promise<readonly string[]>;
}

export interface AgentBackend {
  readonly name: BackendName;
  /**
   * Starts the program and resumes the session if its transcript exists. Resolves when the program answers. `cwd` must
   * exist and may still be empty. Throws FAILED_PRECONDITION, naming the program, when it is missing or does not start.
   * Open a session only once: two programs would corrupt the conversation.
   */
  open(session: OpenSession): Promise<AgentSession>;
}
