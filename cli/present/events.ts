// Prints events of the log for people.
import type { Operations } from '../../contract/operations/index.ts';
import type { OutputOf } from '../../contract/operation.ts';
import { oneLine } from '../output/sanitize.ts';
import type { Style } from '../output/terminal.ts';
import { clock, money, stamp } from './time.ts';

export interface Line {
  readonly text: string;
  readonly style?: Style;
}

type SessionEntry = OutputOf<Operations['session_watch']>;
type SessionEvent = SessionEntry['event'];
type LifecycleEvent = OutputOf<Operations['watch']>['event'];

/** Shown part of a tool's input and result: whole files would hide the conversation. */
const TOOL_WIDTH = 120;
const RESULT_LINES = 5;

/** `[hh:mm:ss] …`; a sub-agent's events are indented below its id. */
export function sessionLines(entry: SessionEntry): readonly Line[] {
  const { event } = entry;
  const prefix = 'subagent' in event && event.subagent !== undefined ? `  ${oneLine(event.subagent, 16)} ` : '';
  return sessionTexts(event).map(({ text, ...style }) => {
    const [first = '', ...rest] = text.split('\n');
    const indent = ' '.repeat(11 + prefix.length);
    return {
      text: [`${clock(entry.at)} ${prefix}${first}`, ...rest.map((line) => indent + line)].join('\n'),
      ...style,
    };
  });
}

/** `[<RFC 3339>] <text>` */
export function lifecycleLines(entry: OutputOf<Operations['watch']>): readonly Line[] {
  return [{ text: `[${stamp(entry.at)}] ${lifecycleText(entry.event)}` }];
}

/** A lifecycle event in words, also for the timeline of `status`. */
export function lifecycleText(event: LifecycleEvent): string {
  switch (event.type) {
    case 'phase':
      return event.reason === undefined ? `phase ${event.phase}` : `phase ${event.phase}: ${event.reason}`;
    case 'taskComplete':
      return `turn ${event.turn.toString()} done: ${oneLine(event.response, TOOL_WIDTH)}`;
    case 'followUp':
      return `follow-up (${event.how}) from ${event.from}: ${oneLine(event.text, TOOL_WIDTH)}`;
    case 'commit':
      return `commit ${event.sha.slice(0, 8)} on ${event.branch}: ${oneLine(event.subject, TOOL_WIDTH)}`;
    case 'push':
      return `push ${event.sha.slice(0, 8)} to ${event.branch} (${event.repo})`;
    case 'child': {
      const why = event.reason === undefined ? '' : `: ${event.reason}`;
      const answer = event.response === undefined ? '' : `: ${oneLine(event.response, TOOL_WIDTH)}`;
      return `child ${event.slug} ${event.phase} ($${event.cost_usd.toFixed(2)})${why}${answer}`;
    }
    case 'upload':
      return `upload ${event.filename} (${event.bytes.toString()} bytes) ${event.url}`;
    case 'note':
      return event.text;
  }
}

function sessionTexts(event: SessionEvent): readonly Line[] {
  switch (event.type) {
    case 'session_start':
      return [
        { text: `session ${event.resumed ? 'resumed' : 'started'} (${event.model})`, style: 'dim' },
        ...(event.warning === undefined ? [] : [{ text: `warning: ${event.warning}`, style: 'yellow' as const }]),
      ];
    case 'turn_start':
      return [{ text: `turn ${event.turn.toString()}`, style: 'bold' }];
    case 'user_text':
      return [{ text: `> ${event.text}` }];
    case 'assistant_text':
      return [{ text: `▍ ${event.text}` }];
    case 'thinking':
      return [{ text: `… ${oneLine(event.text, TOOL_WIDTH)}`, style: 'dim' }];
    case 'tool_use':
      return [{ text: `🔧 ${event.tool}(${oneLine(toolInput(event.input), TOOL_WIDTH)})` }];
    case 'tool_result':
      return [{ text: `   → ${resultText(event)}`, style: event.is_error ? 'red' : 'dim' }];
    case 'retry':
      return [{ text: retryText(event), style: 'yellow' }];
    case 'usage':
      return [];
    case 'cost':
      return event.total_usd > 0 ? [{ text: `cost ${money(event.total_usd)}`, style: 'dim' }] : [];
    case 'error':
      return [{ text: `error ${event.code}: ${event.message}`, style: 'red' }];
    case 'turn_complete':
      return [turnEnd(event)];
    case 'session_end':
      return [{ text: `session ended: ${event.reason}`, style: 'dim' }];
  }
}

/** The most informative argument of a tool call, or its whole input. */
function toolInput(json: string): string {
  try {
    const input: unknown = JSON.parse(json);
    if (typeof input !== 'object' || input === null) return json;
    const { command, file_path: path, pattern, url } = input as Record<string, unknown>;
    const main = [command, path, pattern, url].find((value) => typeof value === 'string');
    return typeof main === 'string' ? main : json;
  } catch {
    return json; // the log shortened it
  }
}

function resultText(event: Extract<SessionEvent, { type: 'tool_result' }>): string {
  const lines = event.text.trimEnd().split('\n');
  const shown = lines.slice(0, RESULT_LINES).map((line) => oneLine(line, TOOL_WIDTH));
  const hidden = lines.length - shown.length;
  const notes = [
    ...(hidden > 0 ? [`${hidden.toString()} more lines`] : []),
    ...(event.whole_bytes === undefined ? [] : [`${event.whole_bytes.toString()} bytes in all`]),
  ];
  const text = shown.join('\n     ');
  return notes.length === 0 ? text || '(empty)' : `${text}\n     … ${notes.join(', ')}`;
}

function retryText(event: Extract<SessionEvent, { type: 'retry' }>): string {
  const status = event.http_status === undefined ? '' : ` (HTTP ${event.http_status.toString()})`;
  const seconds = (event.delay_ms / 1_000).toFixed(1);
  return `model request failed${status}: ${event.error}; attempt ${event.attempt.toString()} of ${event.max_attempts.toString()} in ${seconds} s`;
}

function turnEnd(event: Extract<SessionEvent, { type: 'turn_complete' }>): Line {
  const number = event.turn.toString();
  if (event.status === 'completed') return { text: `turn ${number} completed`, style: 'green' };
  const why = event.error === undefined ? '' : `: ${event.error.message}`;
  return { text: `turn ${number} ended: ${event.status}${why}`, style: 'yellow' };
}
