// The events of an agent's log. Loaded by the workflow sandbox: types and constants only.
import type { Phase } from './phases.ts';
import type { Cost, FollowUpKind, TurnStatus } from './turns.ts';

/** What the agent program did, from the runner's journal. The names are the product's, in lower case. */
export type SessionEvent =
  | {
      readonly type: 'session_start';
      readonly session_id: string;
      readonly model: string;
      readonly resumed: boolean;
      /** A possible problem with this agent program, such as an untested version. */
      readonly warning?: string;
    }
  | {
      readonly type: 'turn_start';
      readonly turn_id: string;
      readonly turn: number;
      readonly inputs: readonly TurnInputSummary[];
    }
  | {
      readonly type: 'user_text';
      readonly text: string;
      /** Id of the `TurnNotice` that this is; absent for the turn's prompt. */
      readonly notice?: string;
    }
  | { readonly type: 'assistant_text'; readonly text: string; readonly subagent?: string }
  | { readonly type: 'thinking'; readonly text: string; readonly subagent?: string }
  | {
      readonly type: 'tool_use';
      readonly tool: string;
      readonly tool_use_id: string;
      /** JSON of the tool's input, cut at `EVENT_TEXT_LIMIT`. */
      readonly input: string;
      readonly subagent?: string;
    }
  | {
      readonly type: 'tool_result';
      readonly tool_use_id: string;
      readonly text: string;
      readonly is_error: boolean;
      /** Bytes of the whole result, when `text` was cut. */
      readonly whole_bytes?: number;
      readonly subagent?: string;
    }
  | {
      readonly type: 'retry';
      readonly attempt: number;
      readonly max_attempts: number;
      readonly delay_ms: number;
      /** HTTP status of the failed model request; absent when there was no answer. */
      readonly http_status?: number;
      readonly error: string;
    }
  /** Estimated usage of the running turn so far, reported under a budget. `cost` has the exact figure. */
  | { readonly type: 'usage'; readonly used_usd: number }
  | { readonly type: 'cost'; readonly total_usd: number; readonly delta: Cost }
  | { readonly type: 'error'; readonly code: string; readonly message: string }
  | {
      readonly type: 'turn_complete';
      readonly turn_id: string;
      readonly turn: number;
      readonly status: TurnStatus;
      readonly response: string;
      readonly error?: { readonly code: string; readonly message: string };
    }
  | { readonly type: 'session_end'; readonly reason: string };

/** Events that only a model's answer causes. */
export const ANSWER_EVENTS: readonly SessionEvent['type'][] = ['assistant_text', 'thinking', 'tool_use'];

/** What the workflow decided. The timeline types are the product's (`TIMELINE_TYPES`). */
export type LifecycleEvent =
  | { readonly type: 'phase'; readonly phase: Phase; readonly reason?: string }
  | { readonly type: 'taskComplete'; readonly turn: number; readonly response: string }
  | {
      readonly type: 'followUp';
      readonly id: string;
      readonly from: string;
      readonly text: string;
      readonly how: FollowUpKind;
    }
  | {
      readonly type: 'commit';
      readonly sha: string;
      readonly subject: string;
      readonly branch: string;
      readonly repo: string;
    }
  | { readonly type: 'push'; readonly sha: string; readonly branch: string; readonly repo: string }
  | {
      readonly type: 'child';
      readonly slug: string;
      readonly phase: Phase;
      readonly reason?: string;
      readonly response?: string;
      readonly cost_usd: number;
    }
  | { readonly type: 'upload'; readonly filename: string; readonly url: string; readonly bytes: number }
  | { readonly type: 'note'; readonly text: string };

export type AgentEvent = SessionEvent | LifecycleEvent;

/** One input of a turn, for `turns` and the log: the text is cut at `EVENT_TEXT_LIMIT`. */
export interface TurnInputSummary {
  readonly id: string;
  readonly kind: FollowUpKind;
  readonly from: string;
  readonly text: string;
}

export const TIMELINE_TYPES = [
  'phase',
  'child',
  'taskComplete',
  'commit',
  'push',
  'checks',
  'followUp',
  'upload',
] as const;
export type TimelineType = (typeof TIMELINE_TYPES)[number];

/**
 * Characters of text in one event. A 5 MB tool result would otherwise pass through the journal, the worker, the log and
 * every viewer. The agent program's own transcript has the whole text.
 */
export const EVENT_TEXT_LIMIT = 16_384;

/** An event with its number in its source. Sources send these to the log. */
export interface SourcedEvent {
  /** From 1, without gaps, per source. The log drops a number that it already has. */
  readonly seq: number;
  /** ISO 8601, when it happened. */
  readonly at: string;
  readonly event: AgentEvent;
}

/** Who numbers events: the runner's journal or the agent workflow. */
export type EventSource = 'runner' | 'workflow';

/** An event in the log. `id` orders all events of the agent: from 1, without gaps. Viewers resume after an id. */
export interface LogEntry extends SourcedEvent {
  readonly id: number;
  readonly source: EventSource;
}
