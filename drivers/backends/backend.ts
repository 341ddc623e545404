// The port to agent programs. Runs inside the runner: built-ins and contract/wire only, so that the bundle stays small.
// Implementations: claude and fake.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { BackendName } from '../../contract/wire/agent.ts';
import type { SessionEvent } from '../../contract/wire/events.ts';
import type { Cost, TurnError } from '../../contract/wire/turns.ts';

/** Starts a process inside the machine's isolation, with exactly this environment. */
export type SpawnContained = (
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
) => ChildProcessWithoutNullStreams;

export interface OpenSession {
  readonly cwd: string;
  /** HOME of the program; its transcript lies beneath it. */
  readonly home: string;
  /** UUID. */
  readonly sessionId: string;
  readonly model: string | undefined;
  readonly appendSystemPrompt: string | undefined;
  /** Credentials and spawn-time secrets; HOME, PATH and git settings come with it. */
  readonly env: Readonly<Record<string, string>>;
  readonly spawn: SpawnContained;
}

/** What a backend tells while a turn runs; the runner numbers and journals it. */
export type BackendEvent = Exclude<SessionEvent, { type: 'turn_start' | 'turn_complete' | 'session_end' }>;

export interface BackendTurnEnd {
  readonly status: 'completed' | 'interrupted' | 'api_error' | 'limit' | 'crashed';
  /** The last text of the agent, whole. */
  readonly response: string;
  readonly error?: TurnError;
  /** What this turn cost, as a delta. */
  readonly cost: Cost;
}

export interface AgentSession {
  /** True when the conversation existed before `open`. */
  readonly resumed: boolean;
  /**
   * Runs one turn; never two at once. Resolves however it ends, also when the program dies (`crashed`).
   * Events are handed over in order before it resolves.
   */
  turn(
    turn: { readonly id: string; readonly prompt: string },
    onEvent: (event: BackendEvent) => void,
  ): Promise<BackendTurnEnd>;
  /** Ends the running turn; resolves when the program has taken the order. No-op without a turn. */
  interrupt(): Promise<void>;
  /** Ends the program: asks, waits a little, kills. Resolves when it is gone. */
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
   * Starts the program, resuming the session when its transcript is there. Throws FAILED_PRECONDITION, naming the
   * program, when it is missing or does not start.
   */
  open(session: OpenSession): Promise<AgentSession>;
}
