// The event log for the page: one line of plain text per entry.
import type { AgentEvent, LogEntry } from '../../contract/wire/events.ts';
import { printable } from '../../contract/wire/printable.ts';

/** A printable line of the session. Without label and text, it is not shown. */
export interface SessionLine {
  /** Id of the log entry. */
  readonly id: number;
  /** `14:32:01`, UTC. */
  readonly at: string;
  readonly kind: 'say' | 'tool' | 'result' | 'input' | 'error' | 'event';
  readonly label: string;
  readonly text: string;
  /** Whether the entry changed the agent's state. */
  readonly changes: boolean;
}

/** Characters of a line. `murmur session watch` shows whole results. */
const TEXT_LIMIT = 2_000;

type Shown = Pick<SessionLine, 'kind' | 'label' | 'text'>;

/** The line of an entry. */
export function sessionLine({ id, at, source, event }: LogEntry): SessionLine {
  const { kind, label, text } = shownOf(event);
  const cut = text.length <= TEXT_LIMIT ? text : `${text.slice(0, TEXT_LIMIT)}…`;
  const changes = source === 'workflow' || event.type === 'cost' || event.type === 'turn_start';
  return { id, at: at.slice(11, 19), kind, label: printable(label), text: printable(cut), changes };
}

const NOTHING: Shown = { kind: 'event', label: '', text: '' };

/** Omits events that the timeline shows. */
function shownOf(event: AgentEvent): Shown {
  switch (event.type) {
    case 'assistant_text':
      return { kind: 'say', label: '', text: event.text };
    case 'thinking':
      return { kind: 'result', label: 'thinking', text: event.text };
    case 'user_text':
      return { kind: 'input', label: '>', text: event.text };
    case 'tool_use':
      return { kind: 'tool', label: event.tool, text: event.input };
    case 'tool_result':
      return { kind: event.is_error ? 'error' : 'result', label: '→', text: event.text };
    case 'turn_start':
      return {
        kind: 'event',
        label: `turn ${String(event.turn)}`,
        text: event.inputs.map(({ text }) => text).join('\n'),
      };
    case 'turn_complete':
      return {
        kind: event.error === undefined ? 'event' : 'error',
        label: `turn ${String(event.turn)} ${event.status}`,
        text: event.error?.message ?? '',
      };
    case 'retry':
      return { kind: 'error', label: `retry ${String(event.attempt)}`, text: event.error };
    case 'error':
      return { kind: 'error', label: event.code, text: event.message };
    case 'session_end':
      return { kind: 'event', label: 'session ended', text: event.reason };
    default:
      return NOTHING;
  }
}
