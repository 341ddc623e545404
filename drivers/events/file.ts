// The event log as one JSONL file per agent, shared by all processes of a host. log-line.ts says why it needs no locks.
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { EventSource, LogEntry, SourcedEvent } from '../../contract/wire/events.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { agentFolder, LOG_FILE } from './agent-folder.ts';
import type { EventLog } from './event-log.ts';
import { newEvents } from './event-order.ts';
import { LogFeeds } from './follow-file.ts';
import { LogEnds } from './log-ends.ts';
import { entriesFrom, seek, unfinishedLine } from './log-file.ts';
import { advanced, baseOf, encodeLines, entryOf } from './log-line.ts';
import { cutLog, logFolders } from './prune-file.ts';

/** A cut takes milliseconds from its first line to its last appended one, on a busy host a hundred times that. */
const LATE_MS = 5_000;
const LATE_LOOK_MS = 5;
/** Longer than the first line of a log that was cut. */
const HEAD_BYTES = 200;

/** The event log in a folder. Throws UNAVAILABLE when the disk fails. */
export function createFileEventLog(root: string): EventLog {
  const pathOf = (agent: string): string => join(agentFolder(root, agent), LOG_FILE);
  const ends = new LogEnds();
  const feeds = new LogFeeds();
  const append = (agent: string, folder: string, source: EventSource, events: readonly SourcedEvent[]) =>
    ends.exclusive(agent, () =>
      logged(agent, async () => {
        for (;;) {
          // `return await` below: otherwise the file is closed before the returned promise settles.
          await using file = await openToAppend(folder);
          try {
            const last = await appendTo({ file, ends, agent }, source, events);
            // Retention may have replaced the file meanwhile by one without these lines.
            if (await isAt(join(folder, LOG_FILE), file)) return last;
          } catch (error) {
            if (!(await isBeingCut(error, file))) throw error;
            await delay(LATE_LOOK_MS);
          }
        }
      }),
    );
  return {
    // `agentFolder` throws for an unusable id, before the append is queued.
    append: async (agent, source, events) => await append(agent, agentFolder(root, agent), source, events),
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
        return file === undefined ? [] : await readTail(file, limit);
      }),
    follow: (agent, after, signal) => loggedEach(agent, feeds.follow(agentFolder(root, agent), after, signal)),
    prune: async (quietSince) => {
      let cut = 0;
      for await (const folder of logFolders(root)) {
        const late = async ({ source, ...event }: LogEntry): Promise<void> =>
          void (await append(folder, folder, source, [event]));
        if (await logged(folder, () => cutLog(folder, quietSince, late))) cut += 1;
      }
      return cut;
    },
    [Symbol.asyncDispose]: async () => await feeds.close(),
  };
}

interface OpenLog {
  readonly file: FileHandle;
  readonly ends: LogEnds;
  readonly agent: string;
}

async function appendTo(log: OpenLog, source: EventSource, events: readonly SourcedEvent[]): Promise<number> {
  // After a short write, a second one writes the rest; it throws the disk's error, such as a full disk.
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    const end = await log.ends.catchUp(log.agent, log.file);
    const unfinished = await unfinishedLine(log.file, end.offset, end.size);
    // A killed writer may have left a whole entry without its newline. The newline of this write completes it.
    const left = entryOf(unfinished, end.state);
    const state = left === undefined ? end.state : advanced(end.state, left.source, left.seq);
    const fresh = newEvents(events, source, state.last[source]);
    if (fresh.length === 0 && left === undefined) return end.state.id;
    await log.file.write(encodeLines(fresh, source, state, end.size));
    const written = await log.ends.catchUp(log.agent, log.file);
    if (written.state.last[source] >= (fresh.at(-1)?.seq ?? 0)) return written.state.id;
  }
  throw new MurmurError('UNAVAILABLE', `event log of ${log.agent}: the disk stored only a part of a write`);
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

/** The last entries. One pass is enough when they are near the end of the file. */
async function readTail(file: FileHandle, limit: number): Promise<readonly LogEntry[]> {
  if (limit <= 0) return [];
  const start = await seek(file, (await file.stat()).size, Number.POSITIVE_INFINITY);
  const entries: LogEntry[] = [];
  let last = start.state.id;
  for await (const { entry, position } of entriesFrom(file, start)) {
    if (entry !== undefined) entries.push(entry);
    last = position.state.id;
  }
  const isWhole = entries.length >= limit || start.offset === 0;
  return isWhole ? entries.slice(-limit) : await readEntries(file, last - limit, limit);
}

async function openToAppend(folder: string): Promise<FileHandle> {
  const path = join(folder, LOG_FILE);
  // `a`: the kernel appends each write as a whole, also when several processes write.
  try {
    return await open(path, 'a+', 0o600);
  } catch (error) {
    if (!isAbsent(error)) throw error;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return open(path, 'a+', 0o600);
  }
}

/**
 * Whether numbers are missing because retention has just replaced the file. It will append the last lines of the old
 * file next.
 */
async function isBeingCut(error: unknown, file: FileHandle): Promise<boolean> {
  if (!(error instanceof MurmurError) || error.code !== 'FAILED_PRECONDITION') return false;
  const { birthtimeMs, size } = await file.stat();
  const head = Buffer.alloc(Math.min(size, HEAD_BYTES));
  await file.read(head, 0, head.length, 0);
  return baseOf(head.toString('utf8').split('\n')[0] ?? '') !== undefined && Date.now() - birthtimeMs < LATE_MS;
}

/** Whether the path still names the open file. */
async function isAt(path: string, file: FileHandle): Promise<boolean> {
  const [found, own] = await Promise.all([stat(path).catch(() => undefined), file.stat()]);
  // A removed file counts as well: the agent is gone.
  return found === undefined || found.ino === own.ino;
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

async function* loggedEach(agent: string, entries: AsyncIterable<LogEntry>): AsyncGenerator<LogEntry> {
  try {
    yield* entries;
  } catch (error) {
    throw unavailable(agent, error);
  }
}

async function logged<T>(agent: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw unavailable(agent, error);
  }
}

function unavailable(agent: string, error: unknown): MurmurError {
  if (error instanceof MurmurError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new MurmurError('UNAVAILABLE', `event log of ${agent}: ${reason}`, { cause: error });
}
