// `session watch` and `watch`: prints events until the agent has ended or the command is interrupted.
import type { EventsOperation, Operations } from '../contract/operations/index.ts';
import type { OutputOf } from '../contract/operation.ts';
import type { Call } from './override.ts';
import { lifecycleLines, sessionLines } from './present/events.ts';

type Entry = OutputOf<Operations[EventsOperation]>;

/** Between notes during silence, so that the command does not seem to hang while the agent thinks. */
const IDLE_NOTE_MS = 60_000;

/** Prints the events. If it ends before the agent, it prints the last event id to stderr, for `--from`. */
export async function followEvents(call: Call): Promise<void> {
  const { client, context, input, json, operation } = call;
  const { terminal, signal } = context;
  const slug = typeof input['slug'] === 'string' ? input['slug'] : 'self';
  terminal.progress(`watching ${slug} …`);
  let quietSince = Date.now();
  const onHeartbeat = (): void => {
    if (Date.now() - quietSince < IDLE_NOTE_MS) return;
    quietSince = Date.now();
    terminal.progress(`still watching ${slug}; nothing has happened`);
  };
  let lastId = typeof input['from'] === 'string' ? input['from'] : undefined;
  try {
    const name = operation.name as EventsOperation;
    const entries: AsyncIterable<Entry> = client.stream(name, input, { signal, onHeartbeat });
    for await (const entry of entries) {
      quietSince = Date.now();
      lastId = entry.id;
      if (json) terminal.jsonLine(entry);
      else for (const { text, style } of linesOf(name, entry)) terminal.line(text, style);
    }
    terminal.progress(`${slug} has ended`);
  } catch (error) {
    if (lastId !== undefined) terminal.complain(`last event: ${lastId} (resume with --from ${lastId})`);
    throw error;
  }
}

function linesOf(name: EventsOperation, entry: Entry) {
  return name === 'watch'
    ? lifecycleLines(entry as OutputOf<Operations['watch']>)
    : sessionLines(entry as OutputOf<Operations['session_watch']>);
}
