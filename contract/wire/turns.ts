// A turn: what the agent is asked and what came of it. Loaded by the workflow sandbox: no imports.

/**
 * Text of any length with at most `INLINE_TEXT_LIMIT` bytes in Temporal's history: the rest lies in the object store.
 * History has a limit of 50 MB per run and 2 MB per payload.
 */
export interface StoredText {
  /** The whole text, or its head when `ref` is set. */
  readonly text: string;
  /** Object store key of the whole text, which holds the digest of it; earlier builds wrote keys without one. */
  readonly ref?: string;
  /** Bytes of the whole text, when it has a `ref` and its sender said so. */
  readonly bytes?: number;
}

export const INLINE_TEXT_LIMIT = 16_384;

/** What a message of Murmur's own is about. */
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
 * How a message reached the agent: through the queue, past it, as a notice, from a child that tells of its end, or made by Murmur
 * itself (a reminder, a cut-off note).
 */
export type FollowUpKind = 'prompt' | 'queue' | 'send' | 'notify' | 'child' | 'system';

/** A message on its way to the agent. */
export interface FollowUp {
  /** Made by the caller; the workflow drops an id that it has seen. */
  readonly id: string;
  readonly kind: FollowUpKind;
  /** Of Murmur's own messages (kind `system`); earlier builds made none. */
  readonly note?: NoteKind;
  readonly text: StoredText;
  /** Checklist items that come with it. */
  readonly tasks?: readonly string[];
  /** Account or agent path of the sender. */
  readonly from: string;
  readonly at: string;
}

/** What a running turn is told: its model reads it after the next tool. */
export interface TurnNotice {
  /** The same for the same words: a turn is told each id once. */
  readonly id: string;
  readonly text: string;
}

/** How a turn ended. `cut_off`: Murmur itself was stopped; `crashed`: the agent program died; `limit`: a limit of its own. */
export type TurnStatus = 'completed' | 'interrupted' | 'api_error' | 'limit' | 'crashed' | 'cut_off';

/** Tokens and dollars of one model. */
export interface ModelUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  readonly usd: number;
}

/** A delta of cost, per model: never a running total, which resume and fork falsify (backends.md 3). */
export interface Cost {
  readonly usd: number;
  readonly by_model: Readonly<Record<string, ModelUsage>>;
}

/** Why a model request failed for good. */
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
  /** `disk`: no model is to blame, the agent's files hold more than they may. */
  readonly kind: ModelErrorKind | 'disk';
  /** One sentence with the program's own words. */
  readonly message: string;
  /** What a person can do about it, as a phrase. */
  readonly action: string;
  /** Whether trying again later can help. */
  readonly retryable: boolean;
  /** Milliseconds the server asked to wait. */
  readonly retry_after_ms?: number;
}

export interface Commit {
  /** Clone URL of the repository, without credentials. */
  readonly repo: string;
  readonly branch: string;
  readonly sha: string;
  readonly subject: string;
}

/** A working branch as a turn left it. */
export interface BranchState {
  readonly repo: string;
  readonly branch: string;
  readonly head: string;
  /** Whether `origin` has the branch at this head. */
  readonly pushed: boolean;
  /** Uncommitted and untracked files. */
  readonly dirty_files: number;
}

/** What `runTurn` answers. */
export interface TurnOutcome {
  readonly turn_id: string;
  readonly status: TurnStatus;
  /** The agent's last text, at most INLINE_TEXT_LIMIT bytes. */
  readonly response: string;
  /**
   * Whether the model said or did anything in the turn: then the prompt stands in the conversation, and must not be
   * given again after a turn that was cut off. Absent when that is not known.
   */
  readonly answered?: boolean;
  /** Ids of the notices that the model was given within the turn; absent when there were none. */
  readonly notices?: readonly string[];
  readonly error?: TurnError;
  readonly cost: Cost;
  /** Paths that differ from the turn's start, per repository root, at most 1,000. */
  readonly files_modified: readonly string[];
  /** New commits on any local branch, oldest first, at most 100. */
  readonly commits: readonly Commit[];
  /** Branches whose remote ref moved in the turn. */
  readonly pushes: readonly Commit[];
  readonly branches: readonly BranchState[];
  /** Object store key of the snapshot taken after the turn, once stored. */
  readonly snapshot?: string;
  /** Id of the agent program's session, when it was opened for this turn. */
  readonly session_id?: string;
}
