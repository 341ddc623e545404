// Follows an agent's event log, checks the agent when the log is silent for long, and appends events of its workflow.
import type { LogEntry, SourcedEvent } from '../contract/wire/events.ts';
import { isTerminal } from '../contract/wire/phases.ts';
import type { Drivers } from '../drivers/platform.ts';
import { locateAgent } from './find.ts';
import type { AgentAddress } from './names.ts';
import type { AgentPlatform, Report } from './platform.ts';

/**
 * Yields the entries after an id, each once and in order, and `silence` whenever none has come for the interval. Ends
 * when the signal aborts.
 */
export async function* followLog(
  platform: AgentPlatform,
  agentId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<LogEntry | 'silence'> {
  const stop = new AbortController();
  const entries = platform.events
    .follow(agentId, after, AbortSignal.any([signal, stop.signal]))
    [Symbol.asyncIterator]();
  try {
    let next = entries.next();
    for (;;) {
      const winner = await withinInterval(next, platform.timing.recheck);
      if (winner === 'silence') {
        yield winner;
        continue;
      }
      if (winner.done === true) return;
      yield winner.value;
      next = entries.next();
    }
  } finally {
    stop.abort();
    // The abort alone is not enough: between two entries the follower would keep its file open.
    await entries.return?.();
  }
}

async function withinInterval<T>(promise: Promise<T>, ms: number): Promise<T | 'silence'> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<'silence'>((resolve) => {
    timer = setTimeout(resolve, ms, 'silence');
  });
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Returns the first value of `look` that is not undefined. Calls it at once, after each new entry of the agent's log,
 * and when the log has been silent for long. Returns undefined if the signal aborts first.
 */
export async function lookUntil<T>(
  platform: AgentPlatform,
  agentId: string,
  signal: AbortSignal,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const [newest] = await platform.events.tail(agentId, 1);
  const now = await look();
  if (now !== undefined) return now;
  for await (const _entry of followLog(platform, agentId, newest?.id ?? 0, signal)) {
    const later = await look();
    if (later !== undefined) return later;
  }
  return undefined;
}

/** Limit of entries after the event that closed the agent: more than a machine writes then. */
const REST = 1_000;

/**
 * Entries until the agent has ended, including those that its machine wrote after that. Stops when the signal aborts.
 */
export async function* followToEnd(
  platform: AgentPlatform,
  agent: AgentAddress,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<LogEntry> {
  let last = after;
  for await (const entry of followLog(platform, agent.id, after, signal)) {
    if (entry === 'silence') {
      // A terminated agent wrote no last event.
      if (await hasEnded(platform, agent)) break;
      continue;
    }
    last = entry.id;
    yield entry;
    const isEnd = entry.event.type === 'phase' && isTerminal(entry.event.phase);
    if (isEnd && !(await goesOn(platform, agent.id, last))) break;
  }
  if (!signal.aborted) yield* rest(platform, agent.id, last);
}

/** Whether a later life of the agent's id has begun after that event. */
async function goesOn(platform: AgentPlatform, agentId: string, last: number): Promise<boolean> {
  const later = await platform.events.read(agentId, last, REST);
  return later.some(({ event }) => event.type === 'phase' && event.phase === 'starting');
}

async function hasEnded(platform: AgentPlatform, agent: AgentAddress): Promise<boolean> {
  const found = await locateAgent(platform, agent);
  return found === undefined || ('execution' in found && found.execution.closed);
}

/** Entries after the agent's last event: its machine may have reported more. */
async function* rest(platform: AgentPlatform, agentId: string, after: number): AsyncGenerator<LogEntry> {
  yield* await platform.events.read(agentId, after, REST);
}

/** Appends the events. A failure is only reported, so that it does not stop other work: the workflow still has them. */
export async function publishOffered(
  { events: log, report }: Pick<Drivers, 'events'> & { readonly report: Report },
  agent: string,
  events: readonly SourcedEvent[] = [],
): Promise<void> {
  if (events.length === 0) return;
  await log.append(agent, 'workflow', events).catch((error: unknown) => {
    report('events could not be written', { agent, error: String(error) });
  });
}
