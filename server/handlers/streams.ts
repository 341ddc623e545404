// The two views of an agent's event log.
import type { LogEntry, LifecycleEvent, SessionEvent } from '../../contract/wire/events.ts';
import { addressOf } from '../address.ts';
import { requireAgent } from '../../agents/find.ts';
import { followToEnd } from '../../agents/log.ts';
import type { Answer, Handler } from '../handler.ts';

export const sessionWatch: Handler<'session_watch'> = async (parts, input, call) => {
  const agent = addressOf(parts, call, input);
  await requireAgent(parts, agent);
  return sessionEntries(followToEnd(parts, agent, Number(input.from), call.signal));
};

export const watch: Handler<'watch'> = async (parts, input, call) => {
  const agent = addressOf(parts, call, input);
  await requireAgent(parts, agent);
  return lifecycleEntries(followToEnd(parts, agent, Number(input.from), call.signal));
};

async function* sessionEntries(entries: AsyncIterable<LogEntry>): AsyncGenerator<Answer<'session_watch'>> {
  for await (const { id, at, source, event } of entries) {
    // The source decides the kind: only the runner journals events of the agent program.
    if (source === 'runner') yield { id: String(id), at, event: event as SessionEvent };
  }
}

async function* lifecycleEntries(entries: AsyncIterable<LogEntry>): AsyncGenerator<Answer<'watch'>> {
  for await (const { id, at, source, event } of entries) {
    if (source === 'workflow') yield { id: String(id), at, event: event as LifecycleEvent };
  }
}
