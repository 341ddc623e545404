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

/** Yields entries until the agent has ended and all of them were read, or the signal aborts. */
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
    if (entry.event.type === 'phase' && isTerminal(entry.event.phase)) break;
  }
  if (!signal.aborted) yield* rest(platform, agent.id, last);
}

async function hasEnded(platform: AgentPlatform, agent: AgentAddress): Promise<boolean> {
  const found = await locateAgent(platform, agent);
  return found === undefined || ('execution' in found && found.execution.closed);
}

/** Entries after the agent's last event: its machine may have reported more. */
async function* rest(platform: AgentPlatform, agentId: string, after: number): AsyncGenerator<LogEntry> {
  yield* await platform.events.read(agentId, after, 1_000);
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
