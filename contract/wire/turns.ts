// Inputs and outcome of a turn. Loaded by the workflow sandbox: no imports.

/**
 * Text of any length. At most `INLINE_TEXT_LIMIT` bytes are in Temporal's history; the object store has the rest. A
 * history is limited to 50 MB per run and 2 MB per payload.
 */
export interface StoredText {
  /** The whole text, or its start if `ref` is set. */
  readonly text: string;
  /** Object store key of the whole text. It contains the text's digest, except in earlier builds. */
  readonly ref?: string;
  /** Bytes of the whole text, if it has a `ref` and its sender set this. */
  readonly bytes?: number;
}

export const INLINE_TEXT_LIMIT = 16_384;

/** Subject of a message that Murmur itself creates. */
export type NoteKind =
  | 'instructions'
  | 'budget'
  | 'budget-cut'
  | 'reminder'
  | 'assessment'
  | 'model-error'
  | 'crashed'
  | 'cut_off'
  | 'machine_lost';

/**
 * Kind of a message: the prompt of the spawn, through the queue, past the queue, a notice, a child's report of its end,
 * or created by Murmur itself (a reminder, a cut-off note).
 */
export type FollowUpKind = 'prompt' | 'queue' | 'send' | 'notify' | 'child' | 'system';

/** A message to the agent. */
export interface FollowUp {
  /** Chosen by the caller. The workflow drops an id that it has seen. */
  readonly id: string;
  readonly kind: FollowUpKind;
  /** Set for kind `system`, except in earlier builds. */
  readonly note?: NoteKind;
  readonly text: StoredText;
  /** Checklist items to add with it. */
  readonly tasks?: readonly string[];
  /** Account or agent path of the sender. */
  readonly from: string;
  readonly at: string;
}

/** A message to a running turn. The model gets it after the next tool. */
export interface TurnNotice {
  /** The same for the same text. A turn delivers each id once. */
  readonly id: string;
  readonly text: string;
}

/** How a turn ended. `cut_off`: Murmur was stopped; `crashed`: the agent program died; `limit`: it exceeded a limit. */
export type TurnStatus = 'completed' | 'interrupted' | 'api_error' | 'limit' | 'crashed' | 'cut_off';

/** Tokens and dollars of one model. */
export interface ModelUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  readonly usd: number;
}

/** An increase of cost, per model. Never a running total, which would be wrong after a resume or a fork. */
export interface Cost {
  readonly usd: number;
  readonly by_model: Readonly<Record<string, ModelUsage>>;
}

/** Why a model request failed permanently. */
export type ModelErrorKind =
  | 'no_credentials'
  | 'authentication'
  | 'permission'
  | 'billing'
  | 'rate_limit'
  | 'overloaded'
  | 'server_error'
  | 'connection'
  | 'context_too_long'
  | 'invalid_request'
  | 'model_not_found'
  | 'program'
  | 'unknown';

export interface TurnError {
  /** `disk`: not a model error; the agent's files exceed its disk limit or the disk is full. */
  readonly kind: ModelErrorKind | 'disk';
  /** One sentence, with the program's message. */
  readonly message: string;
  /** What a person can do about it, as a phrase. */
  readonly action: string;
  /** Whether a later retry can succeed. */
  readonly retryable: boolean;
  /** The server's requested delay in milliseconds. */
  readonly retry_after_ms?: number;
}

export interface Commit {
  /** Clone URL of the repository, without credentials. */
  readonly repo: string;
  readonly branch: string;
  readonly sha: string;
  readonly subject: string;
}

/** State of a working branch after a turn. */
export interface BranchState {
  readonly repo: string;
  readonly branch: string;
  readonly head: string;
  /** Whether `origin` has the branch at this head. */
  readonly pushed: boolean;
  /** Uncommitted and untracked files. */
  readonly dirty_files: number;
}

/** Result of `runTurn`. */
export interface TurnOutcome {
  readonly turn_id: string;
  readonly status: TurnStatus;
  /** The agent's last text, at most INLINE_TEXT_LIMIT bytes. */
  readonly response: string;
  /**
   * Whether the model answered or used a tool in the turn. The conversation then contains the prompt, which must not be
   * repeated after a cut-off turn. Absent if unknown.
   */
  readonly answered?: boolean;
  /** Ids of the notices that the model got during the turn; absent if there were none. */
  readonly notices?: readonly string[];
  readonly error?: TurnError;
  readonly cost: Cost;
  /** Paths that changed since the turn's start, relative to their repository's root, at most 1,000. */
  readonly files_modified: readonly string[];
  /** New commits on any local branch, oldest first, at most 100. */
  readonly commits: readonly Commit[];
  /** Branches whose remote ref changed during the turn. */
  readonly pushes: readonly Commit[];
  readonly branches: readonly BranchState[];
  /** Object store key of the snapshot after the turn, if stored. */
  readonly snapshot?: string;
  /** Id of the agent program's session, if it was opened for this turn. */
  readonly session_id?: string;
}
