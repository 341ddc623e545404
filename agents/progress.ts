// The latest action and the cost of an agent, from the end of its event log.
import type { AgentEvent, LogEntry } from '../contract/wire/events.ts';
import type { AgentPlatform } from './platform.ts';

export interface Progress {
  /** `[label] detail`. */
  readonly progress?: string;
  /** ISO 8601. */
  readonly progress_at?: string;
}

/** Characters of a detail: one line of a table. */
const DETAIL_LIMIT = 80;
/** Entries that nearly always contain an action. */
const SHORT_TAIL = 20;
/** Entries to search for the last cost during a long turn; costs come at the ends of turns. */
const LONG_TAIL = 2_000;

/** The agent's latest action; empty if there is none. */
export async function readProgress(platform: AgentPlatform, agentId: string): Promise<Progress> {
  return lastProgress(await platform.events.tail(agentId, SHORT_TAIL));
}

/** The same, and its cost so far in US dollars. */
export async function readProgressAndCost(
  platform: AgentPlatform,
  agentId: string,
): Promise<Progress & { readonly cost: number }> {
  const tail = await platform.events.tail(agentId, SHORT_TAIL);
  // Fewer entries than requested are the whole log.
  const cost =
    lastCost(tail) ?? (tail.length < SHORT_TAIL ? 0 : lastCost(await platform.events.tail(agentId, LONG_TAIL)));
  return { ...lastProgress(tail), cost: cost ?? 0 };
}

/** The newest event that shows progress. */
export function lastProgress(entries: readonly LogEntry[]): Progress {
  for (const entry of entries.toReversed()) {
    const progress = progressOf(entry.event);
    if (progress !== undefined) return { progress, progress_at: entry.at };
  }
  return {};
}

function lastCost(entries: readonly LogEntry[]): number | undefined {
  for (const { event } of entries.toReversed()) {
    if (event.type === 'cost') return event.total_usd;
  }
  return undefined;
}

/** `[tool] Bash(npm test)`; undefined for events that are not actions. */
export function progressOf(event: AgentEvent): string | undefined {
  switch (event.type) {
    case 'assistant_text':
      return `[text] ${oneLine(event.text)}`;
    case 'tool_use':
      return `[tool] ${event.tool}(${oneLine(mainArgument(event.input))})`;
    case 'commit':
      return `[commit] ${event.sha.slice(0, 8)} ${oneLine(event.subject)}`;
    case 'push':
      return `[push] ${oneLine(event.branch)}`;
    default:
      return undefined;
  }
}

/** The most informative fields of a tool's input, in order of preference. */
const MAIN_FIELDS = ['command', 'file_path', 'path', 'pattern', 'query', 'url', 'description', 'prompt'];

/** The most informative argument of a tool call, or the whole input. */
function mainArgument(input: string): string {
  try {
    const fields = JSON.parse(input) as Readonly<Record<string, unknown>>;
    const main = MAIN_FIELDS.map((name) => fields[name]).find((value) => typeof value === 'string');
    return main ?? (Object.keys(fields).length === 0 ? '' : input);
  } catch {
    // The log cuts a long input, which is then not valid JSON.
    return input;
  }
}

/** The text on one line, because it becomes a cell of a table, and without control characters. */
function oneLine(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();
  return line.length <= DETAIL_LIMIT ? line : `${line.slice(0, DETAIL_LIMIT - 1)}…`;
}
