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
  /** May stand in command lines: nothing secret. */
  readonly env: Readonly<Record<string, string>>;
}

export interface OpenSession {
  readonly cwd: string;
  /** HOME of the program; its transcript lies beneath it. */
  readonly home: string;
  /**
   * UUID: what an earlier `open` answered, or an id that the caller wishes for a new session. A conversation of that id is
   * resumed. Without one a new session begins, under this id if the program can be told one, else under its own.
   */
  readonly sessionId: string;
  readonly model: string | undefined;
  readonly appendSystemPrompt: string | undefined;
  /**
   * The repository's own instructions (`readProjectInstructions`), added to the system prompt. A promise, so that the
   * program can start while the repository is still being cloned: the first turn waits for it. Must not reject.
   */
  readonly projectInstructions?: Promise<string | undefined>;
  /**
   * Existing folder for files of this run that the program must be able to read, which only the caller may change. With
   * it, ANTHROPIC_API_KEY goes into a file of mode 0600 there, given to `user`, and is left out of the program's
   * environment, which every tool would inherit. Without it the key stays in `env`.
   */
  readonly runDir?: string;
  /** Whom `spawn` makes the program, when that is not the caller. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Dollars of the session's earlier turns, as the journal has them: `total_usd` of `cost` events goes on from there. */
  readonly spentUsd?: number;
  /** By name. Their tools are offered to the model from its first request on; one that does not start is left out. */
  readonly mcpServers?: Readonly<Record<string, McpServer>>;
  /** Credentials and spawn-time secrets; HOME, PATH and git settings come with it. The program is looked up in its PATH. */
  readonly env: Readonly<Record<string, string>>;
  readonly spawn: SpawnContained;
  /**
   * A session that only answers, in this JSON schema: with tools that read and none that write or run anything, and
   * without a transcript. It takes one turn, which does not touch the agent's own session beside it.
   */
  readonly answer?: { readonly schema: object };
}

/** What a backend tells while a turn runs; the runner numbers and journals it. */
export type BackendEvent = Exclude<SessionEvent, { type: 'turn_start' | 'turn_complete' | 'session_end' }>;

/** What a turn begins with. */
export interface BackendTurn {
  readonly id: string;
  readonly prompt: string;
  /** Whether `usage` events are wanted. */
  readonly reportsUsage?: boolean;
  /**
   * Asked after each tool of the agent itself, not of its subagents: what the model is to read with the tool's result, if
   * anything. Whatever it answers is given, and told as a `user_text` with the notice's id once the program has it, which
   * is before the model is asked again.
   */
  readonly nextNotice?: () => TurnNotice | undefined;
}

export interface BackendTurnEnd {
  readonly status: 'completed' | 'interrupted' | 'api_error' | 'limit' | 'crashed';
  /** The last text of the agent, whole. */
  readonly response: string;
  readonly error?: TurnError;
  /** The answer of a session that only answers; absent when the model gave none of the wanted form. */
  readonly structured?: unknown;
  /** What this turn cost, as a delta. */
  readonly cost: Cost;
}

export interface AgentSession {
  /** UUID of the conversation. The next `open` is given it, so that it resumes this conversation. */
  readonly sessionId: string;
  /** True when the conversation existed before `open`. */
  readonly resumed: boolean;
  /**
   * Runs one turn; never two at once (throws FAILED_PRECONDITION). Resolves however it ends, also when the program dies
   * (`crashed`) or has died before: open the session anew after `exited`. Events are handed over in order before it
   * resolves: `session_start` once per `open`, `user_text` with the prompt first in every turn, `cost` when it cost
   * something, `error` last when it failed.
   */
  turn(turn: BackendTurn, onEvent: (event: BackendEvent) => void): Promise<BackendTurnEnd>;
  /**
   * Ends the running turn; resolves when the program has taken the order, or was killed because it did not: the turn
   * then still ends as `interrupted`. No-op without a turn.
   */
  interrupt(): Promise<void>;
  /** Ends the program: asks, waits a little, kills. Resolves when it is gone; a running turn ends as `interrupted`. */
  stop(): Promise<void>;
  /** Resolves when the program has ended, for whatever reason. */
  readonly exited: Promise<{ readonly reason: string }>;
  /** Id of the program's process on the host, for clean-up after an interrupt; undefined when it has none. */
  readonly pid: number | undefined;
  /** Files of the conversation, absolute, for a snapshot. */
  transcriptFiles(): Promise<readonly string[]>;
}

export interface AgentBackend {
  readonly name: BackendName;
  /**
   * Starts the program, resuming the session when its transcript is there. Resolves when the program answers. `cwd`
   * must exist and may still be empty. Throws FAILED_PRECONDITION, naming the program, when it is missing or does not
   * start. A session is open once only: two programs would tear the conversation apart.
   */
  open(session: OpenSession): Promise<AgentSession>;
}
