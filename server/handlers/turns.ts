// The turns of an agent, derived from its event log.
import type { LogEntry } from '../../contract/wire/events.ts';
import { addressOf } from '../address.ts';
import { requireAgent } from '../../agents/find.ts';
import type { ServerParts } from '../parts.ts';
import type { Answer, Handler } from '../handler.ts';

/** Entries per read: at most some megabytes, as events are limited. */
const PAGE = 500;

type Turn = Answer<'turns'>[number];

export const turns: Handler<'turns'> = async (parts, input, call) => {
  const agent = addressOf(parts, call, input);
  await requireAgent(parts, agent);
  const found = new Map<string, Turn>();
  for await (const entry of wholeLog(parts, agent.id)) addEntry(found, entry);
  return [...found.values()];
};

async function* wholeLog(parts: ServerParts, agentId: string): AsyncGenerator<LogEntry> {
  for (let after = 0; ;) {
    const page = await parts.events.read(agentId, after, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

function addEntry(found: Map<string, Turn>, { at, event }: LogEntry): void {
  if (event.type === 'turn_start') {
    // A turn that is followed by another one has ended, even if its end was lost with the machine.
    for (const [id, turn] of found) {
      if (turn.ended_at === undefined && id !== event.turn_id)
        found.set(id, { ...turn, ended_at: at, status: 'cut_off' });
    }
    found.set(event.turn_id, {
      turn: event.turn,
      id: event.turn_id,
      started_at: found.get(event.turn_id)?.started_at ?? at,
      description: event.inputs[0]?.text ?? '',
      inputs: event.inputs,
    });
  }
  if (event.type === 'turn_complete') {
    const turn = found.get(event.turn_id);
    if (turn === undefined) return;
    found.set(event.turn_id, {
      ...turn,
      ended_at: at,
      status: event.status,
      ...(event.response === '' ? {} : { response: event.response }),
      ...(event.error === undefined ? {} : { error: event.error }),
    });
  }
}
