// The event log as one JSONL file per agent, shared by all processes of a host. See log-line.ts for why without locks.
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventSource, LogEntry, SourcedEvent } from '../../contract/wire/events.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { agentFolder, LOG_FILE } from './agent-folder.ts';
import type { EventLog } from './event-log.ts';
import { newEvents } from './event-order.ts';
import { followFile } from './follow-file.ts';
import { LogEnds } from './log-ends.ts';
import { entriesFrom, seek, unfinishedLine } from './log-file.ts';
import { advanced, encodeLines, entryOf } from './log-line.ts';

/** A log below a folder. Throws UNAVAILABLE when the disk refuses. */
export function createFileEventLog(root: string): EventLog {
  const pathOf = (agent: string): string => join(agentFolder(root, agent), LOG_FILE);
  const ends = new LogEnds();
  return {
    append: async (agent, source, events) => {
      const folder = agentFolder(root, agent);
      return ends.exclusive(agent, () =>
        logged(agent, async () => {
          // `return await`: the file would be closed before a promise that is only returned settles.
          await using file = await openToAppend(folder);
          return await appendTo({ file, ends, agent }, source, events);
        }),
      );
    },
    lastSeq: (agent, source) =>
      ends.exclusive(agent, () =>
        logged(agent, async () => {
          await using file = await openToRead(pathOf(agent));
          return file === undefined ? 0 : (await ends.catchUp(agent, file)).state.last[source];
        }),
      ),
    read: (agent, after, limit) =>
      logged(agent, async () => {
        await using file = await openToRead(pathOf(agent));
        return file === undefined ? [] : await readEntries(file, after, limit);
      }),
    tail: (agent, limit) =>
      logged(agent, async () => {
        await using file = await openToRead(pathOf(agent));
        return file === undefined ? [] : await readEntries(file, (await lastId(file)) - limit, limit);
      }),
    follow: (agent, after, signal) => followFile(agentFolder(root, agent), after, signal),
  };
}

interface OpenLog {
  readonly file: FileHandle;
  readonly ends: LogEnds;
  readonly agent: string;
}

async function appendTo(log: OpenLog, source: EventSource, events: readonly SourcedEvent[]): Promise<number> {
  // A write that the disk cut short leaves the rest to a second one, which then tells the disk's reason.
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    const end = await log.ends.catchUp(log.agent, log.file);
    const unfinished = await unfinishedLine(log.file, end.offset, end.size);
    // What a killed writer left may be a whole entry without its newline; the newline of this write makes it count.
    const left = entryOf(unfinished, end.state);
    const state = left === undefined ? end.state : advanced(end.state, left.source, left.seq);
    const fresh = newEvents(events, source, state.last[source]);
    if (fresh.length === 0 && left === undefined) return end.state.id;
    await log.file.write(encodeLines(fresh, source, state, end.size));
    const written = await log.ends.catchUp(log.agent, log.file);
    if (written.state.last[source] >= (fresh.at(-1)?.seq ?? 0)) return written.state.id;
  }
  throw new MurmurError('UNAVAILABLE', `event log of ${log.agent}: the disk took only a part of a write`);
}

async function readEntries(file: FileHandle, after: number, limit: number): Promise<readonly LogEntry[]> {
  const entries: LogEntry[] = [];
  if (limit <= 0) return entries;
  const start = await seek(file, (await file.stat()).size, after);
  for await (const { entry } of entriesFrom(file, start)) {
    if (entry === undefined || entry.id <= after) continue;
    entries.push(entry);
    if (entries.length === limit) break;
  }
  return entries;
}

async function lastId(file: FileHandle): Promise<number> {
  let end = await seek(file, (await file.stat()).size, Number.POSITIVE_INFINITY);
  for await (const { position } of entriesFrom(file, end)) end = position;
  return end.state.id;
}

async function openToAppend(folder: string): Promise<FileHandle> {
  const path = join(folder, LOG_FILE);
  // `a`: the kernel puts each write whole at the end, whoever else writes.
  try {
    return await open(path, 'a+', 0o600);
  } catch (error) {
    if (!isAbsent(error)) throw error;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return open(path, 'a+', 0o600);
  }
}

async function openToRead(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

async function logged<T>(agent: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof MurmurError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new MurmurError('UNAVAILABLE', `event log of ${agent}: ${reason}`, { cause: error });
  }
}
