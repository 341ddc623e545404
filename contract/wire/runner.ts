// The protocol between activities and the runner on a machine: HTTP on loopback, JSON bodies. No imports but types.
import type { BackendName, RepoSpec } from './agent.ts';
import type { IsolationSpec, IsolationRequest } from './isolation.ts';
import type { SourcedEvent, TurnInputSummary } from './events.ts';
import type { TurnNotice, TurnOutcome } from './turns.ts';

/** Raised when a call or event changes its meaning. A worker speaks every number from the oldest that may still run. */
export const RUNNER_PROTOCOL = 1;
export const OLDEST_RUNNER_PROTOCOL = 1;

/** `<machine>/runner/config.json`, mode 0600: written before the runner is started as `node <runner> <machine>/runner`. */
export interface RunnerConfig {
  readonly machine: string;
  /** Of a runner of build b35f5f2: later ones make a token at each start, see `RunnerAddress`. */
  readonly token?: string;
  /** How to hold the agent's processes apart; read by runner/isolation. */
  readonly isolation: IsolationSpec | IsolationRequest;
}

/**
 * `<machine>/runner/address.json`, mode 0600: written once the runner listens on 127.0.0.1, replaced at each start, removed
 * at the end of a stop that left no process inside.
 */
export interface RunnerAddress {
  readonly port: number;
  readonly pid: number;
  /** ISO 8601. */
  readonly started: string;
  /**
   * Bearer token of every call to the runner of this start, which proves on each connection that it knows it. Absent in
   * build b35f5f2, whose runners cannot prove it and have their token in config.json.
   */
  readonly token?: string;
}

/**
 * `<machine>/runner/ended.json`: a runner writes it when its stop is complete and no process is left on the machine. The
 * next runner removes it before it starts a process. Without it, the end of the machine searches all processes of the
 * host.
 */
export interface CleanStop {
  /** Process id of the runner, which may need a moment to exit. */
  readonly pid: number;
}

/** How to reach a process that serves the runners of several machines: its first line of output. */
export interface RunnerHostAccess {
  readonly pid: number;
  readonly port: number;
  /** Bearer token of every call. */
  readonly token: string;
  /** It proves on each connection that it knows the token. Absent in build b35f5f2. */
  readonly proves?: true;
}

/** `<machine>/runner/host.json`, mode 0600: written before the process is asked to serve the machine. */
export interface RunnerHostRecord extends RunnerHostAccess {
  /** Of the request to serve, so that a drop which comes before it is about it as well. */
  readonly request_id: string;
}

/** `POST /serve` of such a process. */
export interface HostedRunner {
  /** `<machine>/runner`, absolute; with a config.json. */
  readonly directory: string;
  /** The caller's environment, as a runner of its own process would have it. Undefined is absent, as in JSON. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ServeRequest extends HostedRunner {
  readonly request_id: string;
}

/** `POST /drop`: ends the runner, and refuses the request if it has not come yet. */
export type DropRequest = Pick<ServeRequest, 'directory' | 'request_id'>;

/** `GET /health`. */
export interface RunnerHealth {
  readonly protocol: number;
  readonly machine: string;
  readonly pid: number;
  /** A digest of the runner's file. Absent in runners of build b35f5f2. One of another build is replaced before a new turn. */
  readonly build?: string;
}

/** `POST /open`: prepares the workspace and starts the agent program, both idempotent. Long: bounded by the caller. */
export interface OpenRequest {
  readonly repos: readonly RepoSpec[];
  /** Remote repositories that it may use beside them: see `isGranted`. */
  readonly allow_repos?: readonly string[];
  /** What an earlier open answered; before that, the id that is wished for. */
  readonly session_id: string;
  readonly backend: BackendName;
  readonly model?: string;
  readonly append_system_prompt?: string;
  /** Environment of the agent program and its tools: model credentials and spawn-time secrets. Kept in memory only. */
  readonly env: Readonly<Record<string, string>>;
  /** Names in `env` whose values are scrubbed from every event. */
  readonly secret_names: readonly string[];
  /** Names of spawn-time secrets that the agent has and that no agent may have any more: to be told in the log. */
  readonly dropped_secrets?: readonly string[];
  /**
   * Absolute path, on the machine, of a captured snapshot to restore when the workspace is not there: same paths,
   * branch, HEAD, index, uncommitted and untracked files, and conversation.
   */
  readonly restore?: string;
  /**
   * Number of the last event that the event log has from the runners of this agent. A journal that is behind it (on a
   * machine that replaced a lost one) goes on after it, since the log drops numbers that it has.
   */
  readonly journal_after?: number;
  /**
   * The API server as the machine reaches it. The runner relays a port of its own to it, which stays the same while the
   * address changes: each call renews it, also while a turn runs. Absent: the agent has no Murmur.
   */
  readonly api?: ServerAddress;
}

/** Where a server listens for TCP connections. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export interface OpenReply {
  /** Where the agent program runs. */
  readonly cwd: string;
  /** How its processes are held apart. */
  readonly isolation: string;
  /** True when the conversation already existed on the machine. */
  readonly resumed: boolean;
  /** Id of the conversation, which some agent programs make themselves. Absent in runners of earlier builds. */
  readonly session_id?: string;
}

/** `POST /turn`: starts the turn, or reports the one with this id. Answers at once. */
export interface TurnRequest {
  readonly turn_id: string;
  readonly number: number;
  readonly prompt: string;
  readonly inputs: readonly TurnInputSummary[];
  /** Whether `usage` events are wanted. */
  readonly report_usage?: boolean;
}

/** `end_seq` and `outcome` are set when the turn has ended; a pump stops once the log has reached `end_seq`. */
export interface TurnReply {
  readonly state: 'running' | 'ended';
  readonly end_seq?: number;
  readonly outcome?: RunnerTurnOutcome;
}

/** The outcome as the runner knows it: the snapshot is stored by the activity, and the session is told by `/open`. */
export type RunnerTurnOutcome = Omit<TurnOutcome, 'snapshot' | 'session_id'>;

// `GET /events?after=<seq>&turn=<id>`: newline-delimited `SourcedEvent`s of the journal, kept open; a blank line every
// second. With `turn`, a `TurnEndLine` comes before that turn's `turn_complete`; runners of earlier builds send none.

/** Saves the caller a `POST /turn` at the end of each turn. */
export interface TurnEndLine {
  readonly reply: TurnReply;
}

/** `POST /interrupt`: ends the turn, or leaves a tombstone for one that has not arrived. Answers when taken. */
export interface InterruptRequest {
  readonly turn_id: string;
}

/**
 * `POST /notice`: the model is given the notice within the turn, after its next tool. Answers when taken. One for a turn
 * that has not come yet waits for it, in memory; one that the turn had no occasion to give is missing in its outcome.
 */
export interface NoticeRequest {
  readonly turn_id: string;
  readonly notice: TurnNotice;
}

/**
 * What a snapshot may hold: conversation, unpushed commits and uncommitted files. Each agent has up to six copies of that
 * size, which no limit of its disk counts; work beyond it belongs on a branch of origin.
 */
export const SNAPSHOT_LIMIT_BYTES = 4 * 1024 ** 3;

/** `POST /snapshot`: captures an immutable copy of the conversation and the work tree; only between turns. */
export interface SnapshotReply {
  /** Directory on the machine with the captured files. */
  readonly directory: string;
  /** Files relative to it. */
  readonly files: readonly string[];
  /** Journal position the snapshot covers. */
  readonly seq: number;
}

/**
 * `POST /file`: the content of a regular file, opened with the rights of the agent; a body that breaks off is not whole.
 * Bounded by the reader, who goes when it has enough. Refusals: NOT_FOUND, INVALID_ARGUMENT, and UNAVAILABLE before the
 * session is open.
 */
export interface FileRequest {
  /** Absolute, or relative to where the agent program runs. */
  readonly path: string;
  /** Folder, named as `path` is, in which the file must lie once links are followed. */
  readonly within?: string;
}

/**
 * `POST /port`: who listens on a port of the machine's 127.0.0.1, at any time. A runner of an earlier version answers
 * NOT_FOUND.
 */
export interface PortRequest {
  readonly port: number;
}

/** `inside`: a process of the agent's, and nobody else. */
export type PortHolder = 'inside' | 'outside' | 'nobody';

export interface PortReply {
  readonly holder: PortHolder;
}

/** `POST /stop`: ends the running turn as `status`, ends the agent program and everything it started, then exits. */
export interface StopRequest {
  readonly status: 'cut_off' | 'interrupted';
  /** Set when the machine is about to be destroyed: what to keep of it. */
  readonly last?: FinalSnapshotRequest;
}

/** Asks a stopping runner for its last events and for a final snapshot, captured after the turn has ended. */
export interface FinalSnapshotRequest {
  /** Position in the journal up to which the event log has all events. */
  readonly after: number;
  /** `seq` of the stored snapshot. The runner captures another one unless it would certainly be the same. */
  readonly stored_seq?: number;
  /** Limit for the end of the turn and the capture together, in milliseconds. */
  readonly snapshot_ms: number;
}

/**
 * `<machine>/runner/last.json`, mode 0600: the answer to a `FinalSnapshotRequest`. The runner writes it before its stop is
 * complete.
 */
export interface StopReport {
  readonly events: readonly SourcedEvent[];
  /** Absent if nothing has changed since the stored snapshot, or if the capture failed. */
  readonly snapshot?: SnapshotReply;
  /** Why the capture failed. */
  readonly problem?: string;
}

/** Errors of the runner are `ErrorBody`s under `error`, with the HTTP status of the table. */
