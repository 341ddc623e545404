// The protocol between activities and the runner on a machine: HTTP on loopback, JSON bodies. Imports types only.
import type { BackendName, RepoSpec } from './agent.ts';
import type { IsolationSpec, IsolationRequest } from './isolation.ts';
import type { SourcedEvent, TurnInputSummary } from './events.ts';
import type { TurnNotice, TurnOutcome } from './turns.ts';

/** Raised when a call or event changes its meaning. A worker supports all versions from the oldest below. */
export const RUNNER_PROTOCOL = 1;
export const OLDEST_RUNNER_PROTOCOL = 1;

/** `<machine>/runner/config.json`, mode 0600: written before `node <runner> <machine>/runner` starts the runner. */
export interface RunnerConfig {
  readonly machine: string;
  /** Only for runners of build b35f5f2. Later ones create a token at each start, see `RunnerAddress`. */
  readonly token?: string;
  /** How to isolate the agent's processes; read by runner/isolation. */
  readonly isolation: IsolationSpec | IsolationRequest;
}

/**
 * `<machine>/runner/address.json`, mode 0600: written when the runner listens on 127.0.0.1, and replaced at each start.
 * A stop that leaves no process on the machine removes it.
 */
export interface RunnerAddress {
  readonly port: number;
  readonly pid: number;
  /** ISO 8601. */
  readonly started: string;
  /**
   * Bearer token of this start, for every call. The runner proves on each connection that it knows the token. Absent in
   * build b35f5f2, whose runners have their token in config.json and cannot prove it.
   */
  readonly token?: string;
}

/**
 * `<machine>/runner/ended.json`: a runner writes it when its stop is complete and no process is left on the machine.
 * The next runner removes it before it starts a process. Without it, the end of the machine searches all processes of
 * the host.
 */
export interface CleanStop {
  /** Process id of the runner, which may need a moment to exit. */
  readonly pid: number;
}

/** How to reach a runner host, a process that serves the runners of several machines. It is its first output line. */
export interface RunnerHostAccess {
  readonly pid: number;
  readonly port: number;
  /** Bearer token of every call. */
  readonly token: string;
  /** Set if it proves on each connection that it knows the token. Absent in build b35f5f2. */
  readonly proves?: true;
}

/** `<machine>/runner/host.json`, mode 0600: written before the host is asked to serve the machine. */
export interface RunnerHostRecord extends RunnerHostAccess {
  /** Id of the request to serve. A drop names it too, so that it also works if it arrives first. */
  readonly request_id: string;
}

/** The runner that `POST /serve` of a runner host starts. */
export interface HostedRunner {
  /** `<machine>/runner`, absolute; contains a config.json. */
  readonly directory: string;
  /** The environment that a runner in its own process would inherit from the caller. Undefined means absent. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ServeRequest extends HostedRunner {
  readonly request_id: string;
}

/** `POST /drop`: ends the runner. If the request to serve arrives later, the host rejects it. */
export type DropRequest = Pick<ServeRequest, 'directory' | 'request_id'>;

/** `GET /health`. */
export interface RunnerHealth {
  readonly protocol: number;
  readonly machine: string;
  readonly pid: number;
  /** Digest of the runner's file; absent in build b35f5f2. A runner of another build is replaced before a new turn. */
  readonly build?: string;
}

/** `POST /open`: prepares the workspace and starts the agent program. Idempotent. The caller sets the time limit. */
export interface OpenRequest {
  readonly repos: readonly RepoSpec[];
  /** Further remote repositories that the agent may use: see `isGranted`. */
  readonly allow_repos?: readonly string[];
  /** The id that an earlier `/open` returned, or the id requested for a new session. */
  readonly session_id: string;
  readonly backend: BackendName;
  readonly model?: string;
  readonly append_system_prompt?: string;
  /** Environment of the agent program and its tools: model credentials and spawn-time secrets. Kept in memory only. */
  readonly env: Readonly<Record<string, string>>;
  /** Names in `env` whose values are scrubbed from every event. */
  readonly secret_names: readonly string[];
  /** Names of spawn-time secrets that are no longer allowed and were removed. The runner logs them. */
  readonly dropped_secrets?: readonly string[];
  /**
   * Absolute path on the machine of a snapshot to restore if there is no workspace: same paths, branch, HEAD, index,
   * uncommitted and untracked files, and conversation.
   */
  readonly restore?: string;
  /**
   * Number of the last event that the log has from this agent's runners. On a machine that replaced a lost
   * one the journal is behind. It continues after this number, because the log drops numbers that it has.
   */
  readonly journal_after?: number;
  /**
   * Address of the API server as seen from the machine. The runner relays a local port to it. The port stays the same
   * when the address changes; each call updates the address, even during a turn. Absent: the agent cannot use Murmur.
   */
  readonly api?: ServerAddress;
  /**
   * How git reaches the repositories if the runner and the caller are on different hosts. Each call renews it, also
   * during a turn. Absent if the runner uses the caller's own git.
   */
  readonly git?: GitAccess;
}

/** The address of the broker on the caller's host, for a runner on another host. Holds no credential of the caller. */
export interface GitAccess {
  /** The broker as the machine reaches it. It may be another place at each call. */
  readonly server: ServerAddress;
  /** What the runner says first on each connection, as `socket <pass>` or `http <pass>` and a line break. */
  readonly pass: string;
  /** Absent when no repository is reached by http. */
  readonly http?: GitProxyAccess;
  /** Settings that the agent's git shares with the caller's: author, shortcuts of URLs. */
  readonly config: readonly { readonly key: string; readonly value: string }[];
}

/** The broker's proxy for http. */
export interface GitProxyAccess {
  readonly key: string;
  /** PEM of what it answers with for https; empty without such a repository. */
  readonly certificate: string;
  /** Which URLs go through it, and what they are rewritten to. */
  readonly routes: readonly { readonly from: string; readonly to: string; readonly isPush: boolean }[];
}

/** Where a server listens for TCP connections. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export interface OpenReply {
  /** Where the agent program runs. */
  readonly cwd: string;
  /** How its processes are isolated. */
  readonly isolation: string;
  /** True when the conversation already existed on the machine. */
  readonly resumed: boolean;
  /** Id of the conversation; some agent programs choose it themselves. Absent in runners of earlier builds. */
  readonly session_id?: string;
}

/** `POST /turn`: starts the turn, or reports its state if it is known. Answers at once. */
export interface TurnRequest {
  readonly turn_id: string;
  readonly number: number;
  readonly prompt: string;
  readonly inputs: readonly TurnInputSummary[];
  /** Whether to report `usage` events. */
  readonly report_usage?: boolean;
}

/** `end_seq` and `outcome` are set when the turn has ended. A pump stops when the log has reached `end_seq`. */
export interface TurnReply {
  readonly state: 'running' | 'ended';
  readonly end_seq?: number;
  readonly outcome?: RunnerTurnOutcome;
}

/**
 * The outcome without the fields that the runner does not know: `/open` returns the session, and the activity stores
 * the snapshot.
 */
export type RunnerTurnOutcome = Omit<TurnOutcome, 'snapshot' | 'session_id'>;

// `GET /events?after=<seq>&turn=<id>`: newline-delimited `SourcedEvent`s of the journal, kept open; a blank line every
// second. With `turn`, a `TurnEndLine` precedes that turn's `turn_complete`; runners of earlier builds do not send it.

/** The turn's outcome, which saves a `POST /turn` at the end of each turn. */
export interface TurnEndLine {
  readonly reply: TurnReply;
}

/** `POST /interrupt`: ends the turn, or leaves a tombstone if it has not arrived. Answers before the turn has ended. */
export interface InterruptRequest {
  readonly turn_id: string;
}

/**
 * `POST /notice`: the model gets the notice during the turn, after its next tool. Answers at once. A notice for a turn
 * that has not arrived waits for it in memory. The turn's outcome lists the notices that were delivered.
 */
export interface NoticeRequest {
  readonly turn_id: string;
  readonly notice: TurnNotice;
}

/**
 * Size limit of a snapshot: conversation, unpushed commits and uncommitted files. Each agent has up to six copies,
 * which its disk limit does not count. Larger work belongs on a branch of origin.
 */
export const SNAPSHOT_LIMIT_BYTES = 4 * 1024 ** 3;

/** `POST /snapshot`: captures an immutable copy of the conversation and the work tree. Only between turns. */
export interface SnapshotReply {
  /** Directory on the machine with the captured files. */
  readonly directory: string;
  /** Files relative to it. */
  readonly files: readonly string[];
  /** Journal position that the snapshot covers. */
  readonly seq: number;
}

/**
 * `POST /file`: the content of a regular file, opened with the agent's rights. A body that breaks off is incomplete.
 * The reader limits the size by closing the connection. Errors: NOT_FOUND, INVALID_ARGUMENT, and UNAVAILABLE before the
 * session is open.
 */
export interface FileRequest {
  /** Absolute, or relative to the agent program's working directory. */
  readonly path: string;
  /** Folder, in the form of `path`, that must contain the file after symbolic links are resolved. */
  readonly within?: string;
}

/** `POST /port`: who listens on a port of the machine's 127.0.0.1. Runners of earlier versions answer NOT_FOUND. */
export interface PortRequest {
  readonly port: number;
}

/** `inside`: only processes of the agent. */
export type PortHolder = 'inside' | 'outside' | 'nobody';

export interface PortReply {
  readonly holder: PortHolder;
}

/** `POST /stop`: ends the running turn with `status`, ends the agent program and all its processes, then exits. */
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
 * `<machine>/runner/last.json`, mode 0600: the answer to a `FinalSnapshotRequest`. The runner writes it before its stop
 * is complete.
 */
export interface StopReport {
  readonly events: readonly SourcedEvent[];
  /** Absent if nothing has changed since the stored snapshot, or if the capture failed. */
  readonly snapshot?: SnapshotReply;
  /** Why the capture failed. */
  readonly problem?: string;
}

/** Errors of the runner are `ErrorBody`s under `error`, with the HTTP status of the table. */
